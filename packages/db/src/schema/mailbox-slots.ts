import { pgTable, smallint, text, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Who calls a mailbox now, over the whole fleet. */
export const mailboxSlots = pgTable('mailbox_slots', {
  mailbox: text().notNull(),
  slot: smallint().notNull(),
  holder: uuid().notNull(),
  heldUntil: timestamp({ withTimezone: true, mode: 'date' }).notNull(),
});
