import { type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Database } from '../client.ts';

/** Rows that one statement takes: a backlog of days must not exceed its time, or nothing would ever be forgotten again. */
const BATCH = 5_000;

/** @returns how many rows were deleted. */
export async function pruneRows(db: Database, table: PgTable, condition: SQL): Promise<number> {
  for (let pruned = 0; ; ) {
    const { count } = await db.execute(sql`
      DELETE FROM ${table} WHERE ctid = ANY (ARRAY (SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${BATCH}))`);
    pruned += count;
    if (count < BATCH) return pruned;
  }
}
