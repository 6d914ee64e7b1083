/** The desired state of bookings. Storing it is what accepting a booking event means. */
import { eq, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { hotStatement } from '../hot-statement.ts';
import { type BookingDetails, bookingEffects, bookingIntents } from '../schema/index.ts';

/** A validated booking event, as stored. */
export interface BookingIntent {
  readonly eventId: string;
  readonly bookingId: string;
  readonly providerId: string;
  readonly version: number;
  readonly state: 'live' | 'cancelled';
  /** Null only when cancelled without a body. */
  readonly startAt: Date | null;
  readonly endAt: Date | null;
  readonly details: BookingDetails | null;
}

export type AcceptedBooking =
  | { readonly accepted: true; readonly connectionIds: readonly string[] }
  /** The stored version is as new or newer. */
  | { readonly accepted: false };

/** A booking event that names another provider than the booking was made for. Nothing was stored. */
export class StrangeProviderError extends Error {
  constructor() {
    super('provider_id: is not the provider that this booking was made for');
    this.name = 'StrangeProviderError';
  }
}

/**
 * Stores the desired state if its version is newer, and raises the version of every connection's effect, in one
 * statement: after it returns, the work exists, whatever happens to the queue. Of two versions that arrive at once the
 * row lock makes one wait, and the higher one stays.
 *
 * A connection that is `disabled` gets no new effects, but those that it has are raised: its owner may connect the same
 * calendar again, and what was written there must move or go as well.
 *
 * A booking keeps the provider it was made for; a cancellation without a body keeps the last known times.
 *
 * @throws StrangeProviderError, whatever the version.
 */
export async function acceptBookingIntent(db: Database, intent: BookingIntent): Promise<AcceptedBooking> {
  const { startAt, endAt, details, ...rest } = intent;
  const rows = await acceptance(db).execute({
    ...rest,
    startAt: startAt?.toISOString() ?? null,
    endAt: endAt?.toISOString() ?? null,
    details: details === null ? null : JSON.stringify(details),
  });
  if (rows.length === 0) {
    await refuseStrangeProvider(db, intent);
    return { accepted: false };
  }
  return { accepted: true, connectionIds: rows.flatMap((row) => row.connectionId ?? []) };
}

/** Asked only about what was not stored: what is new or newer costs no second statement. */
async function refuseStrangeProvider(db: Database, { bookingId, providerId }: BookingIntent): Promise<void> {
  const [held] = await db
    .select({ providerId: bookingIntents.providerId })
    .from(bookingIntents)
    .where(eq(bookingIntents.bookingId, bookingId));
  if (held !== undefined && held.providerId !== providerId) throw new StrangeProviderError();
}

const given = sql.placeholder;

const acceptance = hotStatement((db) => {
  const intent = db.$with('intent', { bookingId: bookingIntents.bookingId }).as(sql`
    INSERT INTO booking_intents AS i (booking_id, provider_id, version, state, start_time, end_time, details, event_id)
    VALUES (${given('bookingId')}, ${given('providerId')}, ${given('version')}, ${given('state')},
            ${given('startAt')}::timestamptz, ${given('endAt')}::timestamptz, ${given('details')}::text::jsonb,
            ${given('eventId')})
    ON CONFLICT (booking_id) DO UPDATE
       SET version = EXCLUDED.version, state = EXCLUDED.state, event_id = EXCLUDED.event_id, received_at = now(),
           start_time = coalesce(EXCLUDED.start_time, i.start_time), end_time = coalesce(EXCLUDED.end_time, i.end_time),
           details = coalesce(EXCLUDED.details, i.details), earlier_end = greatest(i.earlier_end, i.end_time)
     WHERE i.version < EXCLUDED.version AND i.provider_id = EXCLUDED.provider_id
    RETURNING booking_id, provider_id, version, state`);
  // Held as a foreign key would hold it, but before its row is used: one that is being erased is waited for and then left
  // out, where the foreign key would refuse the whole booking; one that is being connected again is seen as it then is.
  const held = db.$with('held', {}).as(sql`
    SELECT c.id, c.status FROM intent JOIN external_calendar_connections c ON c.provider_id = intent.provider_id
       FOR KEY SHARE OF c`);
  const effect = db.$with('effect', { connectionId: bookingEffects.connectionId }).as(sql`
    INSERT INTO booking_effects AS e (booking_id, connection_id, version)
    SELECT intent.booking_id, held.id, intent.version
      FROM intent, held
     WHERE held.status <> 'disabled' OR EXISTS (SELECT FROM booking_effects x
                                                 WHERE x.booking_id = intent.booking_id AND x.connection_id = held.id)
    ON CONFLICT (booking_id, connection_id) DO UPDATE
       SET version = EXCLUDED.version, received_at = now(), next_attempt_at = now(), dead_at = NULL, updated_at = now(),
           error_count = 0
     WHERE e.version < EXCLUDED.version
    RETURNING connection_id`);
  return db
    .with(intent, held, effect)
    .select({ connectionId: effect.connectionId })
    .from(intent)
    .leftJoin(effect, sql`true`)
    .prepare('accept_booking');
});
