/**
 * An incremental round of one page, which is what nearly every change is: intervals, run, cursor and counters in one
 * statement, where a transaction of several would be five turns between worker and server.
 *
 * It means what `applyIncrement`, `insertSyncRun` and `recordSyncSuccess` mean one after the other in a transaction. Only
 * the order differs: the lease comes first, and nothing else is done unless it is held.
 */
import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { hotStatement } from '../hot-statement.ts';
import { connections, type RequestedBy } from '../schema/index.ts';
import { type AppliedCounts, type IntervalChanges, type IntervalOwner, toPutRecords } from './busy-intervals.ts';
import { LeaseLostError } from './sync-leases.ts';
import type { SyncSuccess } from './sync-results.ts';

export interface FinishedIncrement extends Omit<SyncSuccess, 'connectionId' | 'mode' | 'unannouncedSince'> {
  readonly owner: IntervalOwner;
  /** No id is both put and dropped. */
  readonly page: IntervalChanges;
  readonly requestedBy: RequestedBy;
  readonly unreadableCount: number;
}

/** @throws LeaseLostError; nothing is stored then. */
export async function storeIncrement(
  db: Database,
  done: FinishedIncrement,
): Promise<{ counts: AppliedCounts; lookAgain: boolean; recordedAt: Date }> {
  const { owner, page, window, ...rest } = done;
  const [row] = await increment(db).execute({
    ...owner,
    token: rest.token,
    noted: rest.noted,
    cursor: rest.cursor,
    reconcileAfterSeconds: rest.reconcileAfterSeconds,
    requestedBy: rest.requestedBy,
    unreadableCount: rest.unreadableCount,
    claimedAt: rest.claimedAt.toISOString(),
    windowStart: window.startAt.toISOString(),
    windowEnd: window.endAt.toISOString(),
    puts: JSON.stringify(toPutRecords(page.puts)),
    dropIds: JSON.stringify(page.dropIds),
    resetSeriesIds: JSON.stringify(page.resetSeriesIds),
  });
  if (row === undefined) throw new LeaseLostError('the connection');
  const { putCount, droppedCount, ...recorded } = row;
  return { counts: { putCount, droppedCount }, ...recorded };
}

const given = sql.placeholder;

const increment = hotStatement((db) => {
  const held = db
    .$with('held', {
      lookAgain: sql<boolean>`look_again`.as('look_again'),
      recordedAt: sql<Date>`recorded_at`.mapWith(connections.updatedAt).as('recorded_at'),
    })
    .as(record());
  return db
    .with(held, db.$with('given', {}).as(givenPuts()), ...changes(db), db.$with('run', {}).as(noteRun()))
    .select({
      lookAgain: held.lookAgain,
      recordedAt: held.recordedAt,
      putCount: sql<number>`${PUT_COUNT}`,
      droppedCount: sql<number>`${DROPPED_COUNT}`,
    })
    .from(held)
    .prepare('store_increment');
});

const PUT_COUNT = sql`(SELECT count(*) FROM put)::int`;
const DROPPED_COUNT = sql`((SELECT count(*) FROM emptied) + (SELECT count(*) FROM dropped))::int`;

function record() {
  return sql`
    UPDATE external_calendar_connections c
       SET applied = ${given('noted')}::bigint,
           sync_cursor = CASE WHEN c.sync_cursor IS NOT NULL THEN ${given('cursor')} END,
           sync_window_start = ${given('windowStart')}::timestamptz, sync_window_end = ${given('windowEnd')}::timestamptz,
           last_synced_at = now(), error_count = 0, last_error = NULL, backoff_until = NULL,
           reconcile_at = now() + ${given('reconcileAfterSeconds')} * interval '1 second',
           notified_at = CASE WHEN c.requested > ${given('noted')}::bigint AND c.notified_at IS NOT NULL
                              THEN ${given('claimedAt')}::timestamptz END,
           lease_owner = NULL, lease_until = NULL, updated_at = now()
     WHERE c.id = ${given('connectionId')}::uuid AND c.lease_token = ${given('token')}::bigint
    RETURNING c.requested > ${given('noted')}::bigint AS look_again, now() AS recorded_at`;
}

function givenPuts() {
  return sql`
    SELECT event_id, series_id, ical_uid, to_timestamp(start_ms / 1000) AS start_time,
           to_timestamp(end_ms / 1000) AS end_time, checksum
      FROM jsonb_to_recordset(${given('puts')}::text::jsonb)
        AS r (event_id text, series_id text, ical_uid text, start_ms float8, end_ms float8, checksum text)`;
}

/** No row is both dropped and put, so that none of these needs to see what the others did. */
function changes(db: Database) {
  const emptied = db.$with('emptied', {}).as(sql`
    DELETE FROM external_calendar_events e
     USING held, jsonb_array_elements_text(${given('resetSeriesIds')}::text::jsonb) AS reset (id)
     WHERE e.connection_id = ${given('connectionId')}::uuid AND e.series_id = reset.id AND e.booking_id IS NULL
       AND e.external_event_id NOT IN (SELECT event_id FROM given)
    RETURNING 1`);
  const dropped = db.$with('dropped', {}).as(sql`
    DELETE FROM external_calendar_events e
     USING held, jsonb_array_elements_text(${given('dropIds')}::text::jsonb) AS gone (id)
     WHERE e.provider_id = ${given('providerId')}::uuid AND e.calendar_provider = ${given('calendarProvider')}
       AND e.external_event_id = gone.id AND e.connection_id = ${given('connectionId')}::uuid AND e.booking_id IS NULL
    RETURNING 1`);
  // A booking's mapping is never overwritten by what the feed says; its own lease decides there.
  const put = db.$with('put', {}).as(sql`
    INSERT INTO external_calendar_events AS e (connection_id, provider_id, calendar_provider, external_event_id, series_id,
                                               ical_uid, start_time, end_time, is_busy, checksum)
    SELECT ${given('connectionId')}::uuid, ${given('providerId')}::uuid, ${given('calendarProvider')}::text,
           event_id, series_id, ical_uid, start_time, end_time, true, checksum
      FROM given CROSS JOIN held ORDER BY event_id
    ON CONFLICT (provider_id, calendar_provider, external_event_id) DO UPDATE
       SET connection_id = EXCLUDED.connection_id, series_id = EXCLUDED.series_id, ical_uid = EXCLUDED.ical_uid,
           start_time = EXCLUDED.start_time, end_time = EXCLUDED.end_time, is_busy = true,
           checksum = EXCLUDED.checksum, updated_at = now()
     WHERE e.booking_id IS NULL AND (e.checksum <> EXCLUDED.checksum OR e.connection_id <> EXCLUDED.connection_id)
    RETURNING 1`);
  return [emptied, dropped, put];
}

function noteRun() {
  return sql`
    INSERT INTO sync_runs (connection_id, requested_by, mode, outcome, pages, put_count, dropped_count, unreadable_count,
                           started_at)
    SELECT ${given('connectionId')}::uuid, ${given('requestedBy')}::text, 'incremental', 'synced', 1, ${PUT_COUNT},
           ${DROPPED_COUNT}, ${given('unreadableCount')}::int, ${given('claimedAt')}::timestamptz
      FROM held
    RETURNING 1`;
}
