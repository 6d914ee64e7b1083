import { join } from 'node:path';
import { STATE_DIR } from '@bookiji/local-fleet';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@bookiji/runtime';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-codes.ts';

/** The database that `npm start` and `npm run fleet` keep where no `DATABASE_URL` is given; theirs while they run. */
export async function startEmbeddedDatabase(): Promise<EmbeddedPostgres> {
  try {
    return await startEmbeddedPostgres({ dataDir: join(STATE_DIR, 'postgres'), database: 'bookiji' });
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : 'it failed';
    throw new CommandError(
      `DATABASE_URL is not set, and the embedded database could not be started: ${why}`,
      EXIT.unavailable,
    );
  }
}
