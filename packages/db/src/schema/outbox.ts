import { bigint, jsonb, pgTable, uuid } from 'drizzle-orm/pg-core';
import { instant } from './instant.ts';

/** Booking events that a service on the same database wrote in its own transaction. */
export const bookingOutbox = pgTable('booking_outbox', {
  id: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
  /** Unique: writing the same event again asks for it to be taken in again. */
  eventId: uuid().notNull(),
  bookingId: uuid().notNull(),
  /** The booking event as the queue carries it; validated again when it is taken in. */
  payload: jsonb().$type<unknown>().notNull(),
  createdAt: instant().notNull().defaultNow(),
  /** When it was taken in, set in the transaction that stores the desired state; null: it waits. */
  relayedAt: instant(),
});
