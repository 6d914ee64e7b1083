import { bigint, jsonb, pgTable, timestamp, uuid } from 'drizzle-orm/pg-core';

const instant = () => timestamp({ withTimezone: true, mode: 'date' });

/** Booking events that a service on the same database wrote in its own transaction. */
export const bookingOutbox = pgTable('booking_outbox', {
  id: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
  eventId: uuid().notNull(),
  bookingId: uuid().notNull(),
  payload: jsonb().$type<unknown>().notNull(),
  createdAt: instant().notNull().defaultNow(),
  relayedAt: instant(),
});
