/** One row for each sync that was tried: what it read, how it ended. */
import { lt, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { syncRuns } from '../schema/index.ts';

export async function insertSyncRun(db: Database, run: typeof syncRuns.$inferInsert): Promise<void> {
  await db.insert(syncRuns).values(run);
}

export async function pruneSyncRuns(db: Database, seconds: number): Promise<void> {
  await db.delete(syncRuns).where(lt(syncRuns.finishedAt, sql`now() - ${seconds} * interval '1 second'`));
}
