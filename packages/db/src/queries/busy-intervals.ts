/** The provider's own busy time: its rows, how one page changes them, and how they are read. */
import { and, eq, gt, inArray, isNull, lt, type SQL, sql } from 'drizzle-orm';
import { toArrayText } from '../array-text.ts';
import type { Database } from '../client.ts';
import type { CalendarProvider } from '../schema/calendar-provider.ts';
import { events } from '../schema/index.ts';

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
  readonly calendarProvider: CalendarProvider;
}

export interface AppliedCounts {
  readonly putCount: number;
  readonly droppedCount: number;
}

const UNIQUE_VIOLATION = '23505';

/** Writes one page: series are emptied, ids dropped, intervals put. Rows whose checksum is unchanged are not written. */
export async function applyPage(tx: Database, owner: IntervalOwner, page: IntervalChanges): Promise<AppliedCounts> {
  const emptied = await dropSeries(tx, owner, page.resetSeriesIds, page.puts);
  const dropped = await dropEvents(tx, owner, page.dropIds);
  const put = page.puts.length === 0 ? 0 : await upsert(tx, owner, putRecords(page.puts));
  return { putCount: put, droppedCount: emptied + dropped };
}

/**
 * Of a first round nearly every event is new, and looking for the old one first takes a third of the time. When one is
 * known after all (it moved while pages were read, or another connection of the same account has it), the page is taken
 * the careful way.
 */
export async function insertNew(tx: Database, owner: IntervalOwner, puts: readonly BusyInterval[]): Promise<number> {
  if (puts.length === 0) return 0;
  try {
    const written = await tx.transaction((inner) => inner.execute(insertOf(owner, putRecords(puts))));
    return written.count;
  } catch (error) {
    if ((error as { cause?: { code?: unknown } }).cause?.code !== UNIQUE_VIOLATION) throw error;
    return upsert(tx, owner, putRecords(puts));
  }
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

/** @param source a FROM item with the columns of `putRecords`. */
export async function upsert(tx: Database, owner: IntervalOwner, source: SQL): Promise<number> {
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

function insertOf(owner: IntervalOwner, source: SQL) {
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
export function putRecords(puts: readonly BusyInterval[]) {
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
