/**
 * How a round takes effect. A first round's pages are written as they come, since nobody trusts a connection that was
 * never synced to its end. Of every later round the pages take effect together: all but the last are staged, and the last
 * one applies everything in the transaction that moves the cursor. A reader sees the old truth or the new one, never a
 * mixture, and a worker that dies in the middle leaves nothing behind.
 */
import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { events } from '../schema/index.ts';
import {
  type AppliedCounts,
  applyPage,
  type IntervalChanges,
  type IntervalOwner,
  insertNew,
  upsert,
} from './busy-intervals.ts';
import { clearStagedPages, stagedPuts, stagePage } from './staged-pages.ts';
import { holdSyncLease } from './sync-leases.ts';

/**
 * A page counts for nothing until the round's last one is committed, so its commit waits for no disk and no standby. The
 * last one's does, and the log is written in order. After a crash before that, the round starts afresh.
 */
const RECORDED_WITH_THE_LAST = sql`SET LOCAL synchronous_commit = off`;

/**
 * Applies an incremental round: the staged pages and the last page. Call inside the transaction that records success.
 * Rows whose checksum is unchanged are not written.
 */
export async function applyIncrement(
  tx: Database,
  owner: IntervalOwner,
  token: number,
  lastPage: IntervalChanges,
  hasStaged: boolean,
): Promise<AppliedCounts> {
  if (!hasStaged) return applyPage(tx, owner, lastPage);
  await stagePage(tx, owner.connectionId, token, lastPage);
  const dropped = await joinWhole(
    tx,
    sql`
    DELETE FROM external_calendar_events e
     WHERE e.id IN (
           SELECT d.id FROM external_calendar_events d JOIN staged_changes s ON s.external_event_id = d.external_event_id
            WHERE d.connection_id = ${owner.connectionId} AND d.is_busy AND d.booking_id IS NULL
              AND s.connection_id = ${owner.connectionId} AND s.lease_token = ${token} AND s.operation = 'drop'
           UNION
           SELECT d.id FROM external_calendar_events d JOIN staged_changes s ON s.external_event_id = d.series_id
            WHERE d.connection_id = ${owner.connectionId} AND d.is_busy AND d.booking_id IS NULL
              AND s.connection_id = ${owner.connectionId} AND s.lease_token = ${token} AND s.operation = 'drop_series')
       AND NOT EXISTS (SELECT FROM staged_changes p
                        WHERE p.connection_id = ${owner.connectionId} AND p.lease_token = ${token}
                          AND p.operation = 'put' AND p.external_event_id = e.external_event_id)`,
  );
  const put = await upsert(tx, owner, stagedPuts(owner.connectionId, token));
  await clearStagedPages(tx, owner.connectionId, token);
  return { putCount: put, droppedCount: dropped.count };
}

/**
 * Applies a full round: what was staged and the last page are the whole truth, and everything else this connection
 * held is removed. Call inside the transaction that records success.
 *
 * @param unreadIds events that the round showed and nobody could read: what was known of them stays.
 */
export async function applyFullRound(
  tx: Database,
  owner: IntervalOwner,
  token: number,
  lastPage: IntervalChanges,
  unreadIds: readonly string[],
): Promise<AppliedCounts> {
  await stagePage(tx, owner.connectionId, token, lastPage);
  const dropped = await joinWhole(
    tx,
    sql`
    DELETE FROM external_calendar_events e
     WHERE e.connection_id = ${owner.connectionId} AND e.is_busy AND e.booking_id IS NULL
       AND e.external_event_id NOT IN (SELECT jsonb_array_elements_text(${JSON.stringify(unreadIds)}::text::jsonb))
       AND NOT EXISTS (SELECT FROM staged_changes s
                        WHERE s.connection_id = ${owner.connectionId} AND s.lease_token = ${token}
                          AND s.operation = 'put' AND s.external_event_id = e.external_event_id)`,
  );
  const put = await upsert(tx, owner, stagedPuts(owner.connectionId, token));
  await clearStagedPages(tx, owner.connectionId, token);
  return { putCount: put, droppedCount: dropped.count };
}

/**
 * Forgets what an unfinished first round left. Only for a connection that was never synced: nobody trusts its intervals
 * yet, so its pages may be written as they come.
 *
 * @throws LeaseLostError; nothing is changed then.
 */
export async function beginFirstRound(db: Database, owner: IntervalOwner, token: number): Promise<void> {
  await db.transaction(async (tx) => {
    // All of them are busy; said, so that the index of busy time finds them.
    await tx
      .delete(events)
      .where(and(eq(events.connectionId, owner.connectionId), events.isBusy, isNull(events.bookingId)));
    await holdSyncLease(tx, { connectionId: owner.connectionId, token });
  });
}

/** Writes one page of a first round. @throws LeaseLostError; nothing is changed then. */
export async function storeFirstPage(
  db: Database,
  owner: IntervalOwner,
  token: number,
  page: IntervalChanges,
): Promise<AppliedCounts> {
  return db.transaction(async (tx) => {
    await tx.execute(RECORDED_WITH_THE_LAST);
    const isNew = page.dropIds.length === 0 && page.resetSeriesIds.length === 0;
    const counts = isNew
      ? { putCount: await insertNew(tx, owner, page.puts), droppedCount: 0 }
      : await applyPage(tx, owner, page);
    await holdSyncLease(tx, { connectionId: owner.connectionId, token });
    return counts;
  });
}

/**
 * A join of what is held with what was staged, each of any length. The statistics of a table that is filled and emptied
 * all the time mostly say that it is empty, and then each row of the one side is looked for in the whole other one: twenty
 * thousand events took longer than a statement may, every time again. Without nested loops there is no such plan.
 */
async function joinWhole(tx: Database, statement: SQL) {
  await tx.execute(sql`SET LOCAL enable_nestloop = off`);
  const done = await tx.execute(statement);
  await tx.execute(sql`SET LOCAL enable_nestloop TO DEFAULT`);
  return done;
}
