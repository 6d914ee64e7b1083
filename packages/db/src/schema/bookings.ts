import { bigint, boolean, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { byClock, type LastError } from './connections.ts';
import { instant } from './instant.ts';

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
  /** The one of the first version; a booking keeps it. */
  providerId: uuid().notNull(),
  /** The booking service's; the highest wins. */
  version: bigint({ mode: 'number' }).notNull(),
  state: text().$type<'live' | 'cancelled'>().notNull(),
  /** Half-open with `endTime`. A cancellation without a body keeps the last known ones; null where there never were any. */
  startTime: instant(),
  endTime: instant(),
  details: jsonb().$type<BookingDetails>(),
  /** Of the booking event that is stored here. */
  eventId: uuid().notNull(),
  /** When that event was accepted. */
  receivedAt: instant().notNull().defaultNow(),
  /** The latest end of an earlier version: until then its event may stand in a calendar that comes back. */
  earlierEnd: instant(),
});

/**
 * One booking in one connection's calendar. Due while `applied_version < version` or a read is asked for
 * (`inspected < inspect_requested`), unless it is dead.
 */
export const bookingEffects = pgTable('booking_effects', {
  bookingId: uuid().notNull(),
  connectionId: uuid().notNull(),
  /** The version that the calendar should show; raised by whoever accepts a booking event, or adopts the booking. */
  version: bigint({ mode: 'number' }).notNull(),
  /** The version that it was last brought to, 0 before any; lowered where the same one is to be written again. */
  appliedVersion: bigint({ mode: 'number' }).notNull().default(0),
  /** Which life of the event is the current one; grows when the event was deleted, or its key is used up. */
  generation: integer().notNull().default(0),
  /** Google's event id or Graph's `transactionId`; noted before the create, so that one without an answer is found. */
  creationKey: text(),
  /** Of an adopted booking whose event nobody has looked for: not known yet, or not seen by the connection's first round. */
  adopted: text().$type<'unknown' | 'absent'>(),
  /** The keys of earlier generations, the newest first. */
  formerKeys: text().array().notNull().default([]),
  /** The event on record; null when there is none, or none is known yet. */
  externalEventId: text(),
  /** The event's, as last written or read; null makes the next write unconditional. */
  etag: text(),
  /** What the calendar was last known to show, written by us or read: anything else is its owner's doing. */
  writtenStart: instant(),
  writtenEnd: instant(),
  /** Counts the reads of the event that hints asked for. */
  inspectRequested: bigint({ mode: 'number' }).notNull().default(0),
  /** The value of `inspectRequested` that the last read answered. */
  inspected: bigint({ mode: 'number' }).notNull().default(0),
  /** When the first of the reads was asked for that are due. Written by a trigger (0022). */
  inspectSince: instant(),
  /** As those of a connection: the right to write this one booking. */
  leaseOwner: text(),
  leaseToken: bigint({ mode: 'number' }).notNull().default(byClock),
  leaseUntil: instant(),
  /** Nothing is tried before then: the end of a wait after a failure, or of one for the connection's first round. */
  nextAttemptAt: instant().notNull().defaultNow(),
  /** Failed attempts since the last that succeeded, those aside that spend no attempt. */
  errorCount: integer().notNull().default(0),
  /** Null after a success. */
  lastError: jsonb().$type<LastError>(),
  /** When it was given up, with a dead letter; cleared by a replay or a newer version. */
  deadAt: instant(),
  /** When the newest version was accepted, or asked for again: the start of the booking lag. */
  receivedAt: instant().notNull().defaultNow(),
  updatedAt: instant().notNull().defaultNow(),
});
export type BookingEffect = typeof bookingEffects.$inferSelect;

/** What owners did to bookings' events, on its way to the booking service. */
export const externalChanges = pgTable('external_changes', {
  changeId: uuid().notNull().defaultRandom(),
  /** `held`: a deletion that waits for a person, since its connection lost many at once. */
  kind: text().$type<'moved' | 'deleted' | 'held'>().notNull(),
  bookingId: uuid().notNull(),
  providerId: uuid().notNull(),
  connectionId: uuid().notNull(),
  /** The version that was in the calendar. */
  bookingVersion: bigint({ mode: 'number' }).notNull(),
  /** Where the event was moved to; null for a deletion. */
  startTime: instant(),
  endTime: instant(),
  /** What was read when it was seen: the same reading is one change, however often it is read. */
  reading: text().notNull(),
  observedAt: instant().notNull().defaultNow(),
  /** When it was put on the queue; null: not yet, or never if it was withdrawn. */
  publishedAt: instant(),
  /** When a deletion turned out to need no telling: the event came back, or a newer version was written. */
  withdrawnAt: instant(),
  /** When a held deletion was decided on, or its event came back. */
  settledAt: instant(),
  /** A deletion that a person let go: it is told without grace, and not held again. */
  isReleased: boolean().notNull().default(false),
});
export type ExternalChange = typeof externalChanges.$inferSelect;
