import { bigint, boolean, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { CalendarProvider } from './calendar-provider.ts';
import type { LastError } from './connections.ts';
import { instant } from './instant.ts';

/**
 * Busy time and mappings. With `booking_id` null: one busy event of the provider's own calendar. With `booking_id`
 * set: the booking's event there. Titles, guests and descriptions have no column to go to.
 */
export const events = pgTable('external_calendar_events', {
  id: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
  connectionId: uuid().notNull(),
  /** The connection's, here because event ids are unique per provider and calendar provider. */
  providerId: uuid().notNull(),
  calendarProvider: text().$type<CalendarProvider>().notNull(),
  /** Null only for a booking whose event does not exist yet. */
  externalEventId: text(),
  /** The series that an occurrence belongs to, else null. */
  seriesId: text(),
  icalUid: text(),
  /** Half-open with `endTime`; the whole event, also where it reaches beyond the window. */
  startTime: instant().notNull(),
  endTime: instant().notNull(),
  /** True for busy time; of a mapping, false once its booking's event is gone. */
  isBusy: boolean().notNull(),
  /** Of all that is stored of the event: the same one costs no write. */
  checksum: text().notNull(),
  bookingId: uuid(),
  /** Of a mapping: what was last done with its event; null for busy time. */
  syncStatus: text().$type<'CREATED' | 'UPDATED' | 'CANCELLED' | 'FAILED'>(),
  /** Of a mapping that says `FAILED`. */
  lastError: jsonb().$type<LastError>(),
  createdAt: instant().notNull().defaultNow(),
  updatedAt: instant().notNull().defaultNow(),
});

/** Items of the feed that could not be understood and may block; see `queries/unreadable-items.ts`. */
export const unreadableItems = pgTable('unreadable_items', {
  connectionId: uuid().notNull(),
  /** Empty for all items that named no id. */
  externalEventId: text().notNull(),
  seriesId: text(),
  reason: text().notNull(),
  firstSeenAt: instant().notNull().defaultNow(),
});

/** Pages of a round with more than one page, kept until the last one makes them take effect together. */
export const stagedChanges = pgTable('staged_changes', {
  connectionId: uuid().notNull(),
  /** The claim that read the page; pages of another one are not applied. */
  leaseToken: bigint({ mode: 'number' }).notNull(),
  /** `drop_series` empties the series whose id stands in `externalEventId`. */
  operation: text().$type<'put' | 'drop' | 'drop_series'>().notNull(),
  externalEventId: text().notNull(),
  seriesId: text(),
  icalUid: text(),
  startTime: instant(),
  endTime: instant(),
  checksum: text(),
});
