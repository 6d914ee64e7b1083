import { pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

const instant = () => timestamp({ withTimezone: true, mode: 'date' });

/** Our registrations for push. `retired` ones still deliver for a while; that is answered and means nothing. */
export const channels = pgTable('channels', {
  id: text().notNull(),
  connectionId: uuid().notNull(),
  calendarProvider: text().$type<'google' | 'microsoft'>().notNull(),
  state: text().$type<ChannelState>().notNull().default('registering'),
  resourceId: text(),
  subscriptionId: text(),
  expiresAt: instant(),
  lastDeliveryAt: instant(),
  unannouncedAt: instant(),
  lookedAfterAt: instant(),
  secretMark: text(),
  createdAt: instant().notNull().defaultNow(),
  updatedAt: instant().notNull().defaultNow(),
});

/** registering → active → retired, or registering → failed. */
export type ChannelState = 'registering' | 'active' | 'retired' | 'failed';
export type Channel = typeof channels.$inferSelect;

/** Receipts of notifications; the primary key is what makes a repeat a duplicate. */
export const deliveries = pgTable('deliveries', {
  connectionId: uuid().notNull(),
  deliveryKey: text().notNull(),
  channelId: text(),
  receivedAt: instant().notNull().defaultNow(),
});
