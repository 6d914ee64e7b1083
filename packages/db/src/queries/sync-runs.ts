/** One row for each sync that was tried: what it read, how it ended. */
import { lt, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { syncRuns } from '../schema/index.ts';
import { pruneRows } from './prune-rows.ts';

export async function insertSyncRun(db: Database, run: typeof syncRuns.$inferInsert): Promise<void> {
  await db.insert(syncRuns).values(run);
}

export function pruneSyncRuns(db: Database, seconds: number): Promise<number> {
  return pruneRows(db, syncRuns, lt(syncRuns.finishedAt, sql`now() - ${seconds} * interval '1 second'`));
}
