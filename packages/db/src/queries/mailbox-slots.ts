/** Who calls a mailbox now. A slot is leased by the database's clock, so a process that was killed frees it by its end. */
import { and, eq, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { hotStatement } from '../hot-statement.ts';
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
  const [taken] = await slotTake(db).execute(wish);
  return taken === undefined ? null : { ...taken, holder: wish.holder };
}

const given = sql.placeholder;

const slotTake = hotStatement((db) => {
  const taken = db
    .$with('taken', { mailbox: sql<string>`mailbox`.as('mailbox'), slot: sql<number>`slot`.as('slot') })
    .as(sql`
    INSERT INTO mailbox_slots (mailbox, slot, holder, held_until)
    SELECT m.mailbox, s.slot, ${given('holder')}::uuid, now() + ${given('leaseMs')} * interval '1 millisecond'
      FROM (SELECT coalesce(min(account_id), ${given('connectionId')}::uuid::text) AS mailbox
              FROM external_calendar_connections WHERE id = ${given('connectionId')}::uuid) m
     CROSS JOIN LATERAL (
       SELECT slot FROM generate_series(1, ${given('slots')}::int) AS slot
        WHERE NOT EXISTS (SELECT FROM mailbox_slots h
                           WHERE h.mailbox = m.mailbox AND h.slot = slot.slot AND h.held_until > now())
        ORDER BY random() LIMIT 1) s
    ON CONFLICT (mailbox, slot) DO UPDATE
       SET holder = excluded.holder, held_until = excluded.held_until
     WHERE mailbox_slots.held_until <= now()
    RETURNING mailbox, slot`);
  return db.with(taken).select({ mailbox: taken.mailbox, slot: taken.slot }).from(taken).prepare('take_mailbox_slot');
});

/** Gives a slot back, unless its time was over and another call has it. */
export async function releaseMailboxSlot(db: Database, slot: MailboxSlot): Promise<void> {
  await slotRelease(db).execute({ ...slot });
}

const slotRelease = hotStatement((db) =>
  db
    .delete(mailboxSlots)
    .where(
      and(
        eq(mailboxSlots.mailbox, given('mailbox')),
        eq(mailboxSlots.slot, given('slot')),
        eq(mailboxSlots.holder, given('holder')),
      ),
    )
    .prepare('release_mailbox_slot'),
);
