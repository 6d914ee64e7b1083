/**
 * The outbox: for a booking service that keeps its bookings in the database that the fleet uses. The event is written in
 * the transaction that changes the booking, so either both are there or neither; the fleet takes it in by a sweep.
 */
import { type BookingEventMessage, parseBookingEvent } from './booking-events.ts';
import { InvalidBookingEventError } from './publisher.ts';

/** An open transaction: a client of `pg`, or a transaction of postgres.js. */
export type OutboxTransaction =
  | { query(text: string, parameters: string[]): PromiseLike<unknown> }
  | { unsafe(text: string, parameters: string[]): PromiseLike<unknown> };

const INSERT = `
  INSERT INTO booking_outbox (event_id, booking_id, payload) VALUES ($1::uuid, $2::uuid, $3::text::jsonb)
  ON CONFLICT (event_id) DO UPDATE SET relayed_at = NULL`;

/**
 * Writes one booking event in the caller's transaction. Writing the same event again has it taken in again, which is
 * harmless: the highest version of a booking wins.
 *
 * @throws InvalidBookingEventError before anything is written; whatever the transaction throws.
 */
export async function insertIntoOutbox(tx: OutboxTransaction, event: BookingEventMessage): Promise<void> {
  const parsed = parseBookingEvent(event);
  if (!parsed.ok) throw new InvalidBookingEventError(parsed.issues);
  const parameters = [event.event_id, event.booking_id, JSON.stringify(event)];
  // biome-ignore lint/plugin: a constant of this file; the values are parameters
  await ('unsafe' in tx ? tx.unsafe(INSERT, parameters) : tx.query(INSERT, parameters));
}
