/** Bookings' due work: found, looked at without taking it, put off, and made due again. */
import { and, eq, isNull, lte, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import type { CalendarProvider } from '../schema/calendar-provider.ts';
import { bookingEffects, bookingIntents, connections } from '../schema/index.ts';
import { type Allowlists, isAllowed } from './allowlists.ts';
import { type EffectClaim, hasWork, isFree } from './effect-leases.ts';

export interface DueEffect {
  readonly bookingId: string;
  readonly connectionId: string;
}

/** Effects with work whose wait is over and that nobody holds, in connections that are active and allowed. */
export async function findDueEffects(db: Database, allow: Allowlists, limit: number): Promise<DueEffect[]> {
  const rows = await db.execute<{ booking_id: string; connection_id: string }>(sql`
    SELECT e.booking_id, e.connection_id
      FROM booking_effects e JOIN external_calendar_connections c ON c.id = e.connection_id
     WHERE ${hasWork} AND e.dead_at IS NULL AND e.next_attempt_at <= now() AND ${isFree}
       AND c.status = 'active' AND c.sync_enabled AND ${isAllowed(allow, 'c')}
     ORDER BY e.next_attempt_at LIMIT ${limit}`);
  return rows.map((row) => ({ bookingId: row.booking_id, connectionId: row.connection_id }));
}

/** What a claim would see if it were made now; null when nothing is due there. */
export async function readDueEffect(
  db: Database,
  target: { bookingId: string; connectionId: string },
): Promise<Pick<EffectClaim, 'effect' | 'calendarProvider' | 'desired'> | null> {
  const [row] = await db
    .select({ effect: bookingEffects, intent: bookingIntents, calendarProvider: connections.calendarProvider })
    .from(bookingEffects)
    .innerJoin(bookingIntents, eq(bookingIntents.bookingId, bookingEffects.bookingId))
    .innerJoin(connections, eq(connections.id, bookingEffects.connectionId))
    .where(
      and(
        eq(bookingEffects.bookingId, target.bookingId),
        eq(bookingEffects.connectionId, target.connectionId),
        isNull(bookingEffects.deadAt),
        lte(bookingEffects.nextAttemptAt, sql`now()`),
        eq(connections.status, 'active'),
        eq(connections.syncEnabled, true),
        sql`(${bookingEffects.appliedVersion} < ${bookingEffects.version}
             OR ${bookingEffects.inspected} < ${bookingEffects.inspectRequested})`,
      ),
    );
  if (row === undefined) return null;
  const { effect, intent, calendarProvider } = row;
  const { version, state, startTime: startAt, endTime: endAt, details } = intent;
  return { effect, calendarProvider, desired: { version, state, startAt, endAt, details } };
}

/**
 * Puts off all due work at one calendar provider that nobody holds, without spending an attempt; spread over half as much
 * again, so that it does not come back in one piece.
 */
export async function postponeEffects(db: Database, calendarProvider: CalendarProvider, waitMs: number): Promise<void> {
  await db.execute(sql`
    UPDATE booking_effects e
       SET next_attempt_at = now() + ${waitMs} * (1 + random() / 2) * interval '1 millisecond'
      FROM (SELECT d.booking_id, d.connection_id
              FROM booking_effects d JOIN external_calendar_connections c ON c.id = d.connection_id
             WHERE (d.applied_version < d.version OR d.inspected < d.inspect_requested) AND d.dead_at IS NULL
               AND d.next_attempt_at <= now() AND (d.lease_until IS NULL OR d.lease_until <= now())
               AND c.calendar_provider = ${calendarProvider}
               FOR UPDATE OF d SKIP LOCKED) due
     WHERE e.booking_id = due.booking_id AND e.connection_id = due.connection_id`);
}

/** Makes a dead effect due again; false when there is no such dead effect. */
export async function reviveEffect(db: Database, bookingId: string, connectionId: string): Promise<boolean> {
  const revived = await db
    .update(bookingEffects)
    // Its lag counts from now: how long it lay with the dead letters says nothing of the fleet.
    .set({ deadAt: null, errorCount: 0, nextAttemptAt: sql`now()`, receivedAt: sql`now()` })
    .where(
      and(
        eq(bookingEffects.bookingId, bookingId),
        eq(bookingEffects.connectionId, connectionId),
        sql`${bookingEffects.deadAt} IS NOT NULL`,
      ),
    )
    .returning({ id: bookingEffects.bookingId });
  return revived.length > 0;
}

/**
 * Lets every waiting booking of a connection be tried again now: a person's wish does not wait, except where the calendar
 * provider said how long. Returns their ids.
 */
export async function hastenBookings(db: Database, connectionId: string): Promise<string[]> {
  const hastened = await db
    .update(bookingEffects)
    .set({ nextAttemptAt: sql`now()` })
    .where(
      and(
        eq(bookingEffects.connectionId, connectionId),
        sql`${bookingEffects.appliedVersion} < ${bookingEffects.version}`,
        sql`${bookingEffects.deadAt} IS NULL`,
        sql`(${bookingEffects.nextAttemptAt} <= now() OR ${bookingEffects.lastError} ->> 'retry_after' IS DISTINCT FROM 'true')`,
      ),
    )
    .returning({ bookingId: bookingEffects.bookingId });
  return hastened.map((row) => row.bookingId);
}
