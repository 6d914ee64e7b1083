import { pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { CalendarProvider } from './calendar-provider.ts';
import { instant } from './instant.ts';

/**
 * Our registrations for push, opened and ended by the retry workers. `retired` ones still deliver for a while; that is
 * answered and means nothing. Their secrets are derived and stored nowhere (decision 0022).
 */
export const channels = pgTable('channels', {
  /** The connection's id without hyphens, and 64 random bits; never used twice. */
  id: text().notNull(),
  connectionId: uuid().notNull(),
  calendarProvider: text().$type<CalendarProvider>().notNull(),
  state: text().$type<ChannelState>().notNull().default('registering'),
  /** Google's opaque id of what is watched; null at Graph, and until the opening was answered. */
  resourceId: text(),
  /** Graph's id of the subscription; null at Google, and until the opening was answered. */
  subscriptionId: text(),
  /** The end that was granted. Set to now by whoever wants it renewed at once. */
  expiresAt: instant(),
  /** Not written. */
  lastDeliveryAt: instant(),
  /** Since when syncs find changes that it should have announced; void once a notification comes after it. */
  unannouncedAt: instant(),
  /** When upkeep was last tried; null asks for it at once. */
  lookedAfterAt: instant(),
  /** Tells with which of `CHANNEL_SECRETS` it was opened: 32 bits, hex. Null: opened before this was kept. */
  secretMark: text(),
  createdAt: instant().notNull().defaultNow(),
  updatedAt: instant().notNull().defaultNow(),
});

/**
 * registering → active → retired; registering → failed → retired, once another one was opened; registering → retired,
 * where the opening was not answered, or somebody else saw to it meanwhile. Of a retired one that was opened after that,
 * registering again.
 */
export type ChannelState = 'registering' | 'active' | 'retired' | 'failed';
export type Channel = typeof channels.$inferSelect;

/** Receipts of notifications; the primary key is what makes a repeat a duplicate. */
export const deliveries = pgTable('deliveries', {
  /** Not a foreign key: whoever deletes a connection deletes its receipts, or retention does. */
  connectionId: uuid().notNull(),
  /** The same for a repeat; `unkeyed:` and a random UUID where a notification has nothing to recognise it by. */
  deliveryKey: text().notNull(),
  /** Null where a signing relay named the connection itself. */
  channelId: text(),
  receivedAt: instant().notNull().defaultNow(),
});
