import { pgTable, smallint, text, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Who calls a mailbox now, over the whole fleet. */
export const mailboxSlots = pgTable('mailbox_slots', {
  /** The account's id, or the connection's where that is not known: connections of one account share its slots. */
  mailbox: text().notNull(),
  /** From 1 to the number of slots. */
  slot: smallint().notNull(),
  /** One call; whoever comes too late to give its slot back must not free another's. */
  holder: uuid().notNull(),
  /** By then the slot is free, whatever became of its holder. */
  heldUntil: timestamp({ withTimezone: true, mode: 'date' }).notNull(),
});
