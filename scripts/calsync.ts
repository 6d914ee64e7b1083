/** `npm run calsync -- <command>`: the operator's command, on the named database or the embedded one. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, STATE_DIR } from '@bookiji/local-fleet';
import { startEmbeddedPostgres } from '@bookiji/runtime';

let stop = async (): Promise<void> => undefined;
try {
  if (!process.env.DATABASE_URL) {
    const embedded = await startEmbeddedPostgres({ dataDir: join(STATE_DIR, 'postgres'), database: 'bookiji' });
    process.env.DATABASE_URL = embedded.url;
    stop = () => embedded.stop();
  }
  await import(pathToFileURL(join(ROOT, 'apps', 'cli', 'src', 'main.ts')).href);
} catch (error) {
  process.stderr.write(`calsync: ${error instanceof Error ? error.message.split('\n')[0] : 'failed'}\n`);
  process.exitCode = 1;
} finally {
  await stop();
}
