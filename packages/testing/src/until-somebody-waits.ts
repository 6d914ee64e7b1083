import type postgres from 'postgres';

/** Resolves as soon as any session of this database waits for a lock that another one holds. */
export async function untilSomebodyWaits(sql: postgres.Sql): Promise<void> {
  for (;;) {
    const [row] = await sql`
      SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    if (row?.n > 0) return;
  }
}
