/** The mapping of a booking, its row in `external_calendar_events`: written together with what is recorded of its effect. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import type { CalendarProvider } from '../schema/calendar-provider.ts';
import { events, type LastError } from '../schema/index.ts';
import type { EffectLease } from './effect-leases.ts';

const given = sql.placeholder;

/** The mapping as others see it in `external_calendar_events`. */
export interface MappingRow {
  readonly providerId: string;
  readonly calendarProvider: CalendarProvider;
  readonly icalUid: string;
  readonly startAt: Date;
  readonly endAt: Date;
  readonly checksum: string;
  readonly status: 'CREATED' | 'UPDATED' | 'CANCELLED';
}

/** Which event of which booking a mapping is of. */
export interface MappedEvent extends EffectLease {
  readonly externalEventId: string | null;
  /** The event that was just deleted: a cancelled mapping goes on saying which one it was. */
  readonly deletedEventId: string | null;
}

/** What `putMapping` is given. */
export function mappingValues({ externalEventId, deletedEventId }: MappedEvent, mapping: MappingRow) {
  return {
    ...mapping,
    mappedEventId: externalEventId ?? deletedEventId,
    startAt: mapping.startAt.toISOString(),
    endAt: mapping.endAt.toISOString(),
    isBusy: mapping.status !== 'CANCELLED',
  };
}

/**
 * Only where the statement's `effect` found the lease still held. That a booking is cancelled is said of the event that was
 * deleted, or of a mapping that is there: one that never reached the calendar leaves none.
 */
export function putMapping(db: Database) {
  return db.$with('mapping', {}).as(sql`
    INSERT INTO external_calendar_events AS m
           (connection_id, provider_id, calendar_provider, external_event_id, ical_uid, start_time, end_time, is_busy,
            checksum, booking_id, sync_status)
    SELECT ${given('connectionId')}::uuid, ${given('providerId')}::uuid, ${given('calendarProvider')}::text,
           ${given('mappedEventId')}::text, ${given('icalUid')}::text, ${given('startAt')}::timestamptz,
           ${given('endAt')}::timestamptz, ${given('isBusy')}::boolean, ${given('checksum')}::text,
           ${given('bookingId')}::uuid, ${given('status')}::text
      FROM effect
     WHERE ${given('status')}::text <> 'CANCELLED' OR ${given('mappedEventId')}::text IS NOT NULL
        OR EXISTS (SELECT FROM external_calendar_events x
                    WHERE x.booking_id = ${given('bookingId')}::uuid AND x.calendar_provider = ${given('calendarProvider')}::text)
    ON CONFLICT (booking_id, calendar_provider) WHERE booking_id IS NOT NULL DO UPDATE
       SET connection_id = excluded.connection_id,
           external_event_id = coalesce(excluded.external_event_id, m.external_event_id),
           ical_uid = excluded.ical_uid, start_time = excluded.start_time, end_time = excluded.end_time,
           is_busy = excluded.is_busy, checksum = excluded.checksum, sync_status = excluded.sync_status,
           last_error = NULL, updated_at = now()
    RETURNING 1`);
}

/** As `putMapping`, where the echo may stand as the owner's busy time. */
export async function storeMapping(tx: Database, lease: MappedEvent, mapping: MappingRow): Promise<void> {
  const externalEventId = lease.externalEventId ?? lease.deletedEventId;
  if (externalEventId !== null) {
    // The echo may have been read before this record; what it left is the booking's event, not the owner's time.
    await tx
      .delete(events)
      .where(
        and(
          eq(events.providerId, mapping.providerId),
          eq(events.calendarProvider, mapping.calendarProvider),
          eq(events.externalEventId, externalEventId),
          sql`${events.bookingId} IS DISTINCT FROM ${lease.bookingId}::uuid`,
        ),
      );
  }
  const isBusy = mapping.status !== 'CANCELLED';
  await tx
    .insert(events)
    .values({
      connectionId: lease.connectionId,
      providerId: mapping.providerId,
      calendarProvider: mapping.calendarProvider,
      externalEventId,
      icalUid: mapping.icalUid,
      startTime: mapping.startAt,
      endTime: mapping.endAt,
      isBusy,
      checksum: mapping.checksum,
      bookingId: lease.bookingId,
      syncStatus: mapping.status,
    })
    .onConflictDoUpdate({
      target: [events.bookingId, events.calendarProvider],
      targetWhere: sql`booking_id IS NOT NULL`,
      set: {
        connectionId: lease.connectionId,
        externalEventId: sql`coalesce(excluded.external_event_id, external_calendar_events.external_event_id)`,
        icalUid: mapping.icalUid,
        startTime: mapping.startAt,
        endTime: mapping.endAt,
        isBusy,
        checksum: mapping.checksum,
        syncStatus: mapping.status,
        lastError: null,
        updatedAt: sql`now()`,
      },
    });
}

/** Shows on the mapping, if there is one, that its booking could not be removed: the event still stands. */
export async function markMappingFailed(
  tx: Database,
  { bookingId, connectionId, error }: EffectLease & { readonly error: LastError },
): Promise<void> {
  await tx
    .update(events)
    .set({ syncStatus: 'FAILED', lastError: error, updatedAt: sql`now()` })
    .where(and(eq(events.bookingId, bookingId), eq(events.connectionId, connectionId)));
}

/** Shows on the mapping that its booking could not be written. */
export async function storeFailedMapping(
  tx: Database,
  failure: EffectLease & { readonly error: LastError },
  mapping: Omit<MappingRow, 'status'>,
  externalEventId: string | null,
): Promise<void> {
  await tx
    .insert(events)
    .values({
      connectionId: failure.connectionId,
      providerId: mapping.providerId,
      calendarProvider: mapping.calendarProvider,
      externalEventId,
      icalUid: mapping.icalUid,
      startTime: mapping.startAt,
      endTime: mapping.endAt,
      isBusy: true,
      checksum: mapping.checksum,
      bookingId: failure.bookingId,
      syncStatus: 'FAILED',
      lastError: failure.error,
    })
    .onConflictDoUpdate({
      target: [events.bookingId, events.calendarProvider],
      targetWhere: sql`booking_id IS NOT NULL`,
      set: { syncStatus: 'FAILED', lastError: failure.error, updatedAt: sql`now()` },
    });
}

/**
 * Names another event in the mapping of a booking: the event is an occurrence of a series now, or no longer one. It may
 * have been read, and stand as its owner's busy time, before it was known to be the booking's.
 */
export async function renameMapping(
  tx: Database,
  {
    bookingId,
    connectionId,
    externalEventId,
  }: Pick<EffectLease, 'bookingId' | 'connectionId'> & { externalEventId: string },
): Promise<void> {
  await tx
    .delete(events)
    .where(
      and(eq(events.connectionId, connectionId), eq(events.externalEventId, externalEventId), isNull(events.bookingId)),
    );
  await tx
    .update(events)
    .set({ externalEventId, updatedAt: sql`now()` })
    .where(and(eq(events.bookingId, bookingId), eq(events.connectionId, connectionId)));
}
