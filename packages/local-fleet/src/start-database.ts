/** Apart from everything else, so that a start need not load the product before the server can begin to wake up. */
import { join } from 'node:path';
import { type EmbeddedPostgres, type Environment, startEmbeddedPostgres } from '@bookiji/runtime';
import { STATE_DIR } from './root.ts';

/** Starts (or adopts) the embedded server; null when `DATABASE_URL` names another. */
export async function startDatabase(environment: Environment): Promise<EmbeddedPostgres | null> {
  if (environment.DATABASE_URL) return null;
  return startEmbeddedPostgres({ dataDir: join(STATE_DIR, 'postgres'), database: 'bookiji' });
}
