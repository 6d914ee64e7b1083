/** Who calls a mailbox now. A slot is leased by the database's clock, so a process that was killed frees it by its end. */
import { and, eq, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { mailboxSlots } from '../schema/index.ts';

export interface MailboxSlot {
  readonly mailbox: string;
  readonly slot: number;
  readonly holder: string;
}

/**
 * Takes one of a mailbox's slots. Connections of the same account share them.
 *
 * @param wish `holder`: a UUID of this one call.
 * @returns null when all are taken, or another call was quicker.
 */
export async function takeMailboxSlot(
  db: Database,
  wish: { connectionId: string; holder: string; slots: number; leaseMs: number },
): Promise<MailboxSlot | null> {
  const [taken] = await db.execute<{ mailbox: string; slot: number }>(sql`
    INSERT INTO mailbox_slots (mailbox, slot, holder, held_until)
    SELECT m.mailbox, s.slot, ${wish.holder}, now() + ${wish.leaseMs} * interval '1 millisecond'
      FROM (SELECT coalesce(min(account_id), ${wish.connectionId}::text) AS mailbox
              FROM external_calendar_connections WHERE id = ${wish.connectionId}) m
     CROSS JOIN LATERAL (
       SELECT slot FROM generate_series(1, ${wish.slots}::int) AS slot
        WHERE NOT EXISTS (SELECT FROM mailbox_slots h
                           WHERE h.mailbox = m.mailbox AND h.slot = slot.slot AND h.held_until > now())
        ORDER BY random() LIMIT 1) s
    ON CONFLICT (mailbox, slot) DO UPDATE
       SET holder = excluded.holder, held_until = excluded.held_until
     WHERE mailbox_slots.held_until <= now()
    RETURNING mailbox, slot`);
  return taken === undefined ? null : { ...taken, holder: wish.holder };
}

/** Gives a slot back, unless its time was over and another call has it. */
export async function releaseMailboxSlot(db: Database, { mailbox, slot, holder }: MailboxSlot): Promise<void> {
  await db
    .delete(mailboxSlots)
    .where(and(eq(mailboxSlots.mailbox, mailbox), eq(mailboxSlots.slot, slot), eq(mailboxSlots.holder, holder)));
}
