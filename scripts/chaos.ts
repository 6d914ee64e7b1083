/** `npm run chaos -- [options]`: brings Redis, then plays chaos; see packages/chaos/README.md. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '@bookiji/local-fleet';
import { bringRedis } from './bring-tools.ts';

if (!bringRedis()) {
  process.stderr.write('chaos: redis-server is needed and could not be brought\n');
  process.exit(1);
}
await import(pathToFileURL(join(ROOT, 'packages', 'chaos', 'src', 'main.ts')).href);
