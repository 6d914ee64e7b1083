/** `npm run bench [name …]`: brings what the benchmarks need, then runs them. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '@bookiji/local-fleet';
import { bringRedis, bringWrk } from './bring-tools.ts';

if (!bringRedis() || !bringWrk()) {
  process.stderr.write('bench: redis-server and wrk are needed and could not be brought\n');
  process.exit(1);
}
await import(pathToFileURL(join(ROOT, 'packages', 'bench', 'src', 'main.ts')).href);
