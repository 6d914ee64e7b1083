/** What an audit reads of one connection, what it leaves behind, and how it puts right what is ours. */
import { and, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import {
  bookingEffects,
  bookingIntents,
  connectionAudits,
  connections,
  events,
  type Mismatch,
} from '../schema/index.ts';
import { type Allowlists, isAllowed } from './allowlists.ts';
import type { MappingRow } from './booking-mappings.ts';

const ALL: Allowlists = { providerIds: null, connectionIds: null };

/** Whether the connection `c` is audited at all. */
function isAudited(allow: Allowlists): SQL {
  return sql`c.status = 'active' AND c.sync_enabled AND ${isAllowed(allow, 'c')}`;
}

/** Nobody else takes a connection's audit for so long; a look that never ends is made again then. */
const TAKEN_MINUTES = 10;

/** The connections whose turn it is, longest waiting first; whoever gets them here looks at them. */
export async function takeDueAudits(
  db: Database,
  allow: Allowlists,
  options: { readonly intervalSeconds: number; readonly limit: number },
): Promise<string[]> {
  // Spread over the interval, so that a fleet that was just put up does not read every calendar at once.
  await db.execute(sql`
    INSERT INTO connection_audits (connection_id, due_at)
    SELECT c.id, now() + random() * ${options.intervalSeconds} * interval '1 second'
      FROM external_calendar_connections c
     WHERE c.status = 'active' AND NOT EXISTS (SELECT FROM connection_audits a WHERE a.connection_id = c.id)
     LIMIT 500
    ON CONFLICT DO NOTHING`);
  const rows = await db.execute<{ connection_id: string }>(sql`
    UPDATE connection_audits a SET due_at = now() + ${TAKEN_MINUTES} * interval '1 minute'
      FROM (SELECT d.connection_id
              FROM connection_audits d JOIN external_calendar_connections c ON c.id = d.connection_id
             WHERE d.due_at <= now() AND ${isAudited(allow)}
             ORDER BY d.due_at LIMIT ${options.limit} FOR UPDATE OF d SKIP LOCKED) due
     WHERE a.connection_id = due.connection_id
    RETURNING a.connection_id`);
  return rows.map((row) => row.connection_id);
}

export interface AuditFindings {
  /** Seen for the first time. */
  readonly suspects: readonly Mismatch[];
  /** Seen again. */
  readonly mismatches: readonly Mismatch[];
}

/** What the look before saw. */
export async function readFindings(db: Database, connectionId: string): Promise<AuditFindings> {
  const [row] = await db
    .select({ suspects: connectionAudits.suspects, mismatches: connectionAudits.mismatches })
    .from(connectionAudits)
    .where(eq(connectionAudits.connectionId, connectionId));
  return row ?? { suspects: [], mismatches: [] };
}

/** A booking as the database believes it stands in the calendar. */
export interface OwnBooking {
  readonly bookingId: string;
  readonly state: 'live' | 'cancelled';
  readonly startAt: Date | null;
  readonly endAt: Date | null;
  readonly appliedVersion: number;
  readonly externalEventId: string | null;
  readonly creationKey: string | null;
  readonly formerKeys: readonly string[];
  readonly writtenStart: Date | null;
  readonly writtenEnd: Date | null;
  /** Nothing is due, nobody writes, and it was not given up: what stands here should be what the calendar shows. */
  readonly isSettled: boolean;
  /** Null when there is no mapping row, or one that names no event. */
  readonly mappedEventId: string | null;
}

export async function readOwnBookings(db: Database, connectionId: string): Promise<OwnBooking[]> {
  return db
    .select({
      bookingId: bookingEffects.bookingId,
      state: bookingIntents.state,
      startAt: bookingIntents.startTime,
      endAt: bookingIntents.endTime,
      appliedVersion: bookingEffects.appliedVersion,
      externalEventId: bookingEffects.externalEventId,
      creationKey: bookingEffects.creationKey,
      formerKeys: bookingEffects.formerKeys,
      writtenStart: bookingEffects.writtenStart,
      writtenEnd: bookingEffects.writtenEnd,
      isSettled: sql<boolean>`(${bookingEffects.appliedVersion} = ${bookingEffects.version}
        AND ${bookingEffects.inspected} = ${bookingEffects.inspectRequested} AND ${bookingEffects.deadAt} IS NULL
        AND coalesce(${bookingEffects.leaseUntil} <= now(), true))`,
      mappedEventId: events.externalEventId,
    })
    .from(bookingEffects)
    .innerJoin(bookingIntents, eq(bookingIntents.bookingId, bookingEffects.bookingId))
    .leftJoin(
      events,
      and(eq(events.bookingId, bookingEffects.bookingId), eq(events.connectionId, bookingEffects.connectionId)),
    )
    .where(eq(bookingEffects.connectionId, connectionId));
}

/** The owner's busy time as it is stored: event id → checksum. */
export async function readStoredChecksums(db: Database, connectionId: string): Promise<Map<string, string>> {
  const rows = await db
    .select({ eventId: events.externalEventId, checksum: events.checksum })
    .from(events)
    .where(and(eq(events.connectionId, connectionId), isNull(events.bookingId), eq(events.isBusy, true)));
  return new Map(rows.map((row) => [row.eventId ?? '', row.checksum]));
}

export interface AuditRecord extends AuditFindings {
  readonly connectionId: string;
  readonly nextLookSeconds: number;
}

export async function recordAudit(db: Database, audit: AuditRecord): Promise<void> {
  const dueAt = sql`now() + ${audit.nextLookSeconds} * interval '1 second'`;
  const found = { suspects: audit.suspects, mismatches: audit.mismatches, auditedAt: sql`now()`, dueAt };
  await db
    .insert(connectionAudits)
    .values({ connectionId: audit.connectionId, ...found })
    .onConflictDoUpdate({ target: connectionAudits.connectionId, set: found });
}

/**
 * Confirmed differences, by kind, of the connections that {@link takeDueAudits} hands out: those of others stand until they
 * are audited again, if ever.
 */
export async function countMismatches(db: Database, allow: Allowlists = ALL): Promise<Map<string, number>> {
  const rows = await db.execute<{ kind: string; count: number }>(sql`
    SELECT m->>'kind' AS kind, count(*)::int AS count
      FROM connection_audits a JOIN external_calendar_connections c ON c.id = a.connection_id,
           jsonb_array_elements(a.mismatches) m
     WHERE ${isAudited(allow)} GROUP BY 1`);
  return new Map(rows.map((row) => [row.kind, row.count]));
}

/** The calendar shows an older version than was recorded: the newest is due again. */
export async function rewriteBookings(
  db: Database,
  connectionId: string,
  bookingIds: readonly string[],
): Promise<void> {
  if (bookingIds.length === 0) return;
  await db
    .update(bookingEffects)
    .set({
      appliedVersion: sql`${bookingEffects.appliedVersion} - 1`,
      nextAttemptAt: sql`now()`,
      receivedAt: sql`now()`,
    })
    .where(
      and(
        eq(bookingEffects.connectionId, connectionId),
        inArray(bookingEffects.bookingId, [...bookingIds].sort()),
        sql`${bookingEffects.appliedVersion} = ${bookingEffects.version} AND ${bookingEffects.appliedVersion} > 0`,
        sql`coalesce(${bookingEffects.leaseUntil} <= now(), true)`,
      ),
    );
}

/** Puts a lost mapping row back, as the booking's record says, unless it has moved on since it was read. */
export async function restoreMapping(
  db: Database,
  target: { bookingId: string; connectionId: string; externalEventId: string; appliedVersion: number },
  mapping: MappingRow,
): Promise<void> {
  await db.execute(sql`
    INSERT INTO external_calendar_events
           (connection_id, provider_id, calendar_provider, external_event_id, ical_uid, start_time, end_time, is_busy,
            checksum, booking_id, sync_status)
    SELECT e.connection_id, ${mapping.providerId}::uuid, ${mapping.calendarProvider}, e.external_event_id,
           ${mapping.icalUid}, ${mapping.startAt.toISOString()}::timestamptz, ${mapping.endAt.toISOString()}::timestamptz,
           true, ${mapping.checksum}, e.booking_id, ${mapping.status}
      FROM booking_effects e
     WHERE e.booking_id = ${target.bookingId} AND e.connection_id = ${target.connectionId}
       AND e.external_event_id = ${target.externalEventId} AND e.applied_version = ${target.appliedVersion}
    ON CONFLICT (booking_id, calendar_provider) WHERE booking_id IS NOT NULL
    DO UPDATE SET external_event_id = excluded.external_event_id, connection_id = excluded.connection_id,
                  is_busy = true, sync_status = excluded.sync_status, updated_at = now()`);
}

/** Has a connection read afresh: what is stored is replaced in one step when the new reading is complete. */
export async function requestFullSync(db: Database, connectionId: string): Promise<void> {
  await db
    .update(connections)
    .set({ syncCursor: null, requested: sql`${connections.requested} + 1`, requestedBy: 'schedule' })
    .where(eq(connections.id, connectionId));
}
