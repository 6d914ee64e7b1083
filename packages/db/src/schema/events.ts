import { bigint, boolean, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { LastError } from './connections.ts';

const instant = () => timestamp({ withTimezone: true, mode: 'date' });

/**
 * Busy time and mappings. With `booking_id` null: one busy event of the provider's own calendar. With `booking_id`
 * set: the booking's event there. Titles, guests and descriptions have no column to go to.
 */
export const events = pgTable('external_calendar_events', {
  id: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
  connectionId: uuid().notNull(),
  providerId: uuid().notNull(),
  calendarProvider: text().$type<'google' | 'microsoft'>().notNull(),
  externalEventId: text(),
  seriesId: text(),
  icalUid: text(),
  startTime: instant().notNull(),
  endTime: instant().notNull(),
  isBusy: boolean().notNull(),
  checksum: text().notNull(),
  bookingId: uuid(),
  syncStatus: text().$type<'CREATED' | 'UPDATED' | 'CANCELLED' | 'FAILED'>(),
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
  leaseToken: bigint({ mode: 'number' }).notNull(),
  operation: text().$type<'put' | 'drop' | 'drop_series'>().notNull(),
  externalEventId: text().notNull(),
  seriesId: text(),
  icalUid: text(),
  startTime: instant(),
  endTime: instant(),
  checksum: text(),
});
