/** Pages of a round that is not finished, kept apart until its last page applies them all. */
import { and, eq, inArray, lte, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { stagedChanges } from '../schema/index.ts';
import { type BusyInterval, type IntervalChanges, putRecords } from './busy-intervals.ts';

/** Keeps one page until the round's last page applies it. Later pages win over earlier ones. */
export async function stagePage(
  db: Database,
  connectionId: string,
  token: number,
  page: IntervalChanges,
): Promise<void> {
  await db.transaction(async (tx) => {
    await unstagePuts(tx, connectionId, token, stagedChanges.seriesId, page.resetSeriesIds);
    await stageDrops(tx, connectionId, token, 'drop_series', page.resetSeriesIds);
    await stageDrops(tx, connectionId, token, 'drop', page.dropIds);
    await unstagePuts(tx, connectionId, token, stagedChanges.externalEventId, page.dropIds);
    await stagePuts(tx, connectionId, token, page.puts);
  });
}

/** What an earlier page put and this one takes back. */
async function unstagePuts(
  tx: Database,
  connectionId: string,
  token: number,
  column: typeof stagedChanges.seriesId | typeof stagedChanges.externalEventId,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .delete(stagedChanges)
    .where(
      and(
        eq(stagedChanges.connectionId, connectionId),
        eq(stagedChanges.leaseToken, token),
        eq(stagedChanges.operation, 'put'),
        inArray(column, [...ids]),
      ),
    );
}

async function stageDrops(
  tx: Database,
  connectionId: string,
  token: number,
  operation: 'drop' | 'drop_series',
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await tx.execute(sql`
    INSERT INTO staged_changes (connection_id, lease_token, operation, external_event_id)
    SELECT ${connectionId}::uuid, ${token}::bigint, ${operation}, id FROM jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb) AS id
    ON CONFLICT DO NOTHING`);
}

async function stagePuts(
  tx: Database,
  connectionId: string,
  token: number,
  puts: readonly BusyInterval[],
): Promise<void> {
  if (puts.length === 0) return;
  await tx.execute(sql`
    INSERT INTO staged_changes (connection_id, lease_token, operation, external_event_id, series_id, ical_uid,
                                start_time, end_time, checksum)
    SELECT ${connectionId}::uuid, ${token}::bigint, 'put', event_id, series_id, ical_uid, start_time, end_time, checksum
      FROM ${putRecords(puts)}
    ON CONFLICT (connection_id, lease_token, external_event_id, operation) DO UPDATE
       SET series_id = EXCLUDED.series_id, ical_uid = EXCLUDED.ical_uid, start_time = EXCLUDED.start_time,
           end_time = EXCLUDED.end_time, checksum = EXCLUDED.checksum`);
}

/**
 * Forgets pages staged under this token and older ones: what unfinished syncs left, or what was just applied. Never a
 * newer token's, so a worker that wakes up late cannot take the pages of the one that replaced it.
 */
export async function clearStagedPages(db: Database, connectionId: string, token: number): Promise<void> {
  await db
    .delete(stagedChanges)
    .where(and(eq(stagedChanges.connectionId, connectionId), lte(stagedChanges.leaseToken, token)));
}

/** What is staged to be put, with the columns of `putRecords`. */
export function stagedPuts(connectionId: string, token: number): SQL {
  return sql`(SELECT external_event_id AS event_id, series_id, ical_uid, start_time, end_time, checksum FROM staged_changes
               WHERE connection_id = ${connectionId} AND lease_token = ${token} AND operation = 'put') AS put`;
}
