import { bigint, boolean, integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { byClock, type LastError } from './connections.ts';

const instant = () => timestamp({ withTimezone: true, mode: 'date' });

/** What a booking's event carries besides its times. */
export interface BookingDetails {
  readonly title: string;
  /** IANA zone the event is shown in. */
  readonly time_zone: string;
  readonly notes?: string | undefined;
  readonly location?: string | undefined;
  readonly attendee?: { readonly name?: string | undefined; readonly email?: string | undefined } | undefined;
}

/** The newest announced state of each booking. Committing this row is accepting the booking event. */
export const bookingIntents = pgTable('booking_intents', {
  bookingId: uuid().notNull(),
  providerId: uuid().notNull(),
  version: bigint({ mode: 'number' }).notNull(),
  state: text().$type<'live' | 'cancelled'>().notNull(),
  startTime: instant(),
  endTime: instant(),
  details: jsonb().$type<BookingDetails>(),
  eventId: uuid().notNull(),
  receivedAt: instant().notNull().defaultNow(),
  /** The latest end of an earlier version. */
  earlierEnd: instant(),
});

/** One booking in one connection's calendar. Due while `applied_version < version` or a read is asked for. */
export const bookingEffects = pgTable('booking_effects', {
  bookingId: uuid().notNull(),
  connectionId: uuid().notNull(),
  version: bigint({ mode: 'number' }).notNull(),
  appliedVersion: bigint({ mode: 'number' }).notNull().default(0),
  generation: integer().notNull().default(0),
  creationKey: text(),
  /** Of an adopted booking whose event nobody has looked for: not known yet, or not seen by the connection's first round. */
  adopted: text().$type<'unknown' | 'absent'>(),
  /** The keys of earlier generations, the newest first. */
  formerKeys: text().array().notNull().default([]),
  externalEventId: text(),
  etag: text(),
  writtenStart: instant(),
  writtenEnd: instant(),
  inspectRequested: bigint({ mode: 'number' }).notNull().default(0),
  inspected: bigint({ mode: 'number' }).notNull().default(0),
  inspectSince: instant(),
  leaseOwner: text(),
  leaseToken: bigint({ mode: 'number' }).notNull().default(byClock),
  leaseUntil: instant(),
  nextAttemptAt: instant().notNull().defaultNow(),
  errorCount: integer().notNull().default(0),
  lastError: jsonb().$type<LastError>(),
  deadAt: instant(),
  receivedAt: instant().notNull().defaultNow(),
  updatedAt: instant().notNull().defaultNow(),
});
export type BookingEffect = typeof bookingEffects.$inferSelect;

/** What owners did to bookings' events, on its way to the booking service. */
export const externalChanges = pgTable('external_changes', {
  changeId: uuid().notNull().defaultRandom(),
  kind: text().$type<'moved' | 'deleted' | 'held'>().notNull(),
  bookingId: uuid().notNull(),
  providerId: uuid().notNull(),
  connectionId: uuid().notNull(),
  bookingVersion: bigint({ mode: 'number' }).notNull(),
  startTime: instant(),
  endTime: instant(),
  reading: text().notNull(),
  observedAt: instant().notNull().defaultNow(),
  publishedAt: instant(),
  withdrawnAt: instant(),
  settledAt: instant(),
  isReleased: boolean().notNull().default(false),
});
export type ExternalChange = typeof externalChanges.$inferSelect;
