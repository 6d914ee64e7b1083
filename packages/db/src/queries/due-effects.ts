/** Looking at a booking's due work without taking it. */
import { and, eq, isNull, lte, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { bookingEffects, bookingIntents, connections } from '../schema/index.ts';
import type { EffectClaim } from './booking-effects.ts';

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
export async function postponeEffects(
  db: Database,
  calendarProvider: 'google' | 'microsoft',
  waitMs: number,
): Promise<void> {
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
