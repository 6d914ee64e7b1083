/**
 * The provider's own busy time. A first round's pages are written as they come, since nobody trusts what was never synced
 * to its end. Of every later round the pages take effect together: all but the last are staged, and the last one
 * applies everything in the transaction that moves the cursor. A reader sees the old truth or the new one, never a
 * mixture, and a worker that dies in the middle leaves nothing behind.
 */
import { and, eq, gt, inArray, isNull, lt, lte, sql } from 'drizzle-orm';
import { toArrayText } from '../array-text.ts';
import type { Database } from '../client.ts';
import { events, stagedChanges } from '../schema/index.ts';
import { holdSyncLease } from './sync-leases.ts';

/** One busy event of the provider's own, as stored. Half-open, UTC. */
export interface BusyInterval {
  readonly eventId: string;
  readonly seriesId: string | null;
  readonly icalUid: string | null;
  readonly startAt: Date;
  readonly endAt: Date;
  readonly checksum: string;
}

/** What one page, or one round, does to the stored intervals. Series are emptied first, then ids dropped, then put. */
export interface IntervalChanges {
  readonly puts: readonly BusyInterval[];
  readonly dropIds: readonly string[];
  readonly resetSeriesIds: readonly string[];
}

export interface IntervalOwner {
  readonly connectionId: string;
  readonly providerId: string;
  readonly calendarProvider: 'google' | 'microsoft';
}

/**
 * Of a page that counts for nothing until the round's last one is committed, the commit waits for no disk and no standby:
 * the last one's does, and the log that it waits for is written in order. A crash before that begins the round anew.
 */
const RECORDED_WITH_THE_LAST = sql`SET LOCAL synchronous_commit = off`;

/** Keeps one page until the round's last page applies it. Later pages win over earlier ones. */
export async function stagePage(
  db: Database,
  connectionId: string,
  token: number,
  page: IntervalChanges,
): Promise<void> {
  await db.transaction(async (tx) => {
    if (page.resetSeriesIds.length > 0) {
      await tx
        .delete(stagedChanges)
        .where(
          and(
            eq(stagedChanges.connectionId, connectionId),
            eq(stagedChanges.leaseToken, token),
            eq(stagedChanges.operation, 'put'),
            inArray(stagedChanges.seriesId, [...page.resetSeriesIds]),
          ),
        );
    }
    await stageDrops(tx, connectionId, token, 'drop_series', page.resetSeriesIds);
    await stageDrops(tx, connectionId, token, 'drop', page.dropIds);
    if (page.dropIds.length > 0) {
      await tx
        .delete(stagedChanges)
        .where(
          and(
            eq(stagedChanges.connectionId, connectionId),
            eq(stagedChanges.leaseToken, token),
            eq(stagedChanges.operation, 'put'),
            inArray(stagedChanges.externalEventId, [...page.dropIds]),
          ),
        );
    }
    await stagePuts(tx, connectionId, token, page.puts);
  });
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

const UNIQUE_VIOLATION = '23505';

export interface AppliedCounts {
  readonly putCount: number;
  readonly droppedCount: number;
}

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
  const put = await upsert(tx, owner, stagedPuts(owner.connectionId, token), false);
  await clearStagedPages(tx, owner.connectionId, token);
  return { putCount: put, droppedCount: dropped.count };
}

/**
 * Applies a full round: what was staged and the last page are the whole truth, and everything else this connection
 * held is removed. Call inside the transaction that records success.
 */
export async function applyFullRound(
  tx: Database,
  owner: IntervalOwner,
  token: number,
  lastPage: IntervalChanges,
): Promise<AppliedCounts> {
  await stagePage(tx, owner.connectionId, token, lastPage);
  const dropped = await joinWhole(
    tx,
    sql`
    DELETE FROM external_calendar_events e
     WHERE e.connection_id = ${owner.connectionId} AND e.is_busy AND e.booking_id IS NULL
       AND NOT EXISTS (SELECT FROM staged_changes s
                        WHERE s.connection_id = ${owner.connectionId} AND s.lease_token = ${token}
                          AND s.operation = 'put' AND s.external_event_id = e.external_event_id)`,
  );
  const put = await upsert(tx, owner, stagedPuts(owner.connectionId, token), false);
  await clearStagedPages(tx, owner.connectionId, token);
  return { putCount: put, droppedCount: dropped.count };
}

async function applyPage(tx: Database, owner: IntervalOwner, page: IntervalChanges): Promise<AppliedCounts> {
  const emptied = await dropSeries(tx, owner, page.resetSeriesIds, page.puts);
  const dropped = await dropEvents(tx, owner, page.dropIds);
  const put = await upsert(tx, owner, putRecords(page.puts), page.puts.length === 0);
  return { putCount: put, droppedCount: emptied + dropped };
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
 * Of a first round nearly every event is new, and looking for the old one first takes a third of the time. When one is
 * known after all (it moved while pages were read, or another connection of the same account has it), the page is taken
 * the careful way.
 */
async function insertNew(tx: Database, owner: IntervalOwner, puts: readonly BusyInterval[]): Promise<number> {
  if (puts.length === 0) return 0;
  try {
    const written = await tx.transaction((inner) => inner.execute(insertOf(owner, putRecords(puts))));
    return written.count;
  } catch (error) {
    if ((error as { cause?: { code?: unknown } }).cause?.code !== UNIQUE_VIOLATION) throw error;
    return upsert(tx, owner, putRecords(puts), false);
  }
}

/**
 * A join of what is held with what was staged, each of any length. The statistics of a table that is filled and emptied
 * all the time mostly say that it is empty, and then each row of the one side is looked for in the whole other one: twenty
 * thousand events took longer than a statement may, every time again. Without nested loops there is no such plan.
 */
async function joinWhole(tx: Database, statement: ReturnType<typeof sql>) {
  await tx.execute(sql`SET LOCAL enable_nestloop = off`);
  const done = await tx.execute(statement);
  await tx.execute(sql`SET LOCAL enable_nestloop TO DEFAULT`);
  return done;
}

async function dropSeries(
  tx: Database,
  owner: IntervalOwner,
  seriesIds: readonly string[],
  puts: readonly BusyInterval[],
): Promise<number> {
  if (seriesIds.length === 0) return 0;
  const kept = puts.map((put) => put.eventId);
  const gone = await tx
    .delete(events)
    .where(
      and(
        eq(events.connectionId, owner.connectionId),
        isNull(events.bookingId),
        inArray(events.seriesId, [...seriesIds]),
        kept.length === 0
          ? undefined
          : sql`${events.externalEventId} NOT IN (SELECT jsonb_array_elements_text(${JSON.stringify(kept)}::text::jsonb))`,
      ),
    )
    .returning({ id: events.id });
  return gone.length;
}

async function dropEvents(tx: Database, owner: IntervalOwner, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const gone = await tx.execute(sql`
    DELETE FROM external_calendar_events e
     USING jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb) AS gone (id)
     WHERE e.provider_id = ${owner.providerId} AND e.calendar_provider = ${owner.calendarProvider}
       AND e.external_event_id = gone.id AND e.connection_id = ${owner.connectionId} AND e.booking_id IS NULL`);
  return gone.count;
}

async function upsert(
  tx: Database,
  owner: IntervalOwner,
  source: ReturnType<typeof sql>,
  isEmpty: boolean,
): Promise<number> {
  if (isEmpty) return 0;
  // A booking's mapping is never overwritten by what the feed says; its own lease decides there.
  const written = await tx.execute(sql`
    ${insertOf(owner, source)}
    ON CONFLICT (provider_id, calendar_provider, external_event_id) DO UPDATE
       SET connection_id = EXCLUDED.connection_id, series_id = EXCLUDED.series_id, ical_uid = EXCLUDED.ical_uid,
           start_time = EXCLUDED.start_time, end_time = EXCLUDED.end_time, is_busy = true,
           checksum = EXCLUDED.checksum, updated_at = now()
     WHERE e.booking_id IS NULL AND (e.checksum <> EXCLUDED.checksum OR e.connection_id <> EXCLUDED.connection_id)`);
  return written.count;
}

function insertOf(owner: IntervalOwner, source: ReturnType<typeof sql>) {
  return sql`
    INSERT INTO external_calendar_events AS e (connection_id, provider_id, calendar_provider, external_event_id, series_id,
                                               ical_uid, start_time, end_time, is_busy, checksum)
    SELECT ${owner.connectionId}::uuid, ${owner.providerId}::uuid, ${owner.calendarProvider}, event_id, series_id, ical_uid,
           start_time, end_time, true, checksum
      FROM ${source} ORDER BY event_id`;
}

/** As `jsonb_to_recordset` reads them. */
export function toPutRecords(puts: readonly BusyInterval[]) {
  return puts.map((put) => ({
    event_id: put.eventId,
    series_id: put.seriesId,
    ical_uid: put.icalUid,
    // Numbers: writing and reading a date as text takes several times as long.
    start_ms: put.startAt.getTime(),
    end_ms: put.endAt.getTime(),
    checksum: put.checksum,
  }));
}

/** A column each: a page is read from arrays in a third of the time that `jsonb_to_recordset` takes. */
function putRecords(puts: readonly BusyInterval[]) {
  const texts = (of: (put: BusyInterval) => string | null) => sql`${toArrayText(puts.map(of))}::text::text[]`;
  const instants = (of: (put: BusyInterval) => Date) =>
    sql`${`{${puts.map((put) => of(put).getTime()).join(',')}}`}::text::float8[]`;
  return sql`(SELECT event_id, series_id, ical_uid, to_timestamp(start_ms / 1000) AS start_time,
                     to_timestamp(end_ms / 1000) AS end_time, checksum
                FROM unnest(${texts((put) => put.eventId)}, ${texts((put) => put.seriesId)},
                            ${texts((put) => put.icalUid)}, ${instants((put) => put.startAt)},
                            ${instants((put) => put.endAt)}, ${texts((put) => put.checksum)})
                  AS r (event_id, series_id, ical_uid, start_ms, end_ms, checksum)) AS put`;
}

function stagedPuts(connectionId: string, token: number) {
  return sql`(SELECT external_event_id AS event_id, series_id, ical_uid, start_time, end_time, checksum FROM staged_changes
               WHERE connection_id = ${connectionId} AND lease_token = ${token} AND operation = 'put') AS put`;
}

export interface StoredInterval {
  readonly connectionId: string;
  readonly startAt: Date;
  readonly endAt: Date;
}

/** A provider's own busy time that overlaps `[from, to)`, over all its connections, in order of start. */
export async function listBusyIntervals(
  db: Database,
  providerId: string,
  from: Date,
  to: Date,
): Promise<StoredInterval[]> {
  return db
    .select({ connectionId: events.connectionId, startAt: events.startTime, endAt: events.endTime })
    .from(events)
    .where(
      and(
        sql`${events.connectionId} IN (SELECT id FROM external_calendar_connections WHERE provider_id = ${providerId})`,
        isNull(events.bookingId),
        eq(events.isBusy, true),
        lt(events.startTime, to),
        gt(events.endTime, from),
      ),
    )
    .orderBy(events.startTime);
}
