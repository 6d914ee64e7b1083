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
