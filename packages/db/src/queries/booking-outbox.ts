/** The way in for a booking service that shares the database: its events wait here until they are taken in. */
import { and, eq, isNull, lt, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { bookingOutbox } from '../schema/index.ts';
import { pruneRows } from './prune-rows.ts';

export interface WaitingEvent {
  readonly id: number;
  readonly eventId: string;
  readonly payload: unknown;
}

/** The oldest events that wait, without holding them: {@link takeFromOutbox} decides who takes each. */
export async function listWaitingEvents(db: Database, limit: number): Promise<WaitingEvent[]> {
  return db
    .select({ id: bookingOutbox.id, eventId: bookingOutbox.eventId, payload: bookingOutbox.payload })
    .from(bookingOutbox)
    .where(isNull(bookingOutbox.relayedAt))
    .orderBy(bookingOutbox.id)
    .limit(limit);
}

/**
 * Marks one event as relayed and does `work` in the same transaction: both or neither. One event per transaction, since
 * holding several bookings' rows at once could meet a sync that holds them in another order.
 *
 * @returns null when somebody else took it first.
 */
export async function takeFromOutbox<Result>(
  db: Database,
  id: number,
  work: (tx: Database) => Promise<Result>,
): Promise<Result | null> {
  return db.transaction(async (tx) => {
    const taken = await tx
      .update(bookingOutbox)
      .set({ relayedAt: sql`now()` })
      .where(and(eq(bookingOutbox.id, id), isNull(bookingOutbox.relayedAt)))
      .returning({ id: bookingOutbox.id });
    return taken.length === 0 ? null : work(tx);
  });
}

/** Forgets events that were relayed more than `seconds` ago. */
export function pruneOutbox(db: Database, seconds: number): Promise<number> {
  return pruneRows(db, bookingOutbox, lt(bookingOutbox.relayedAt, sql`now() - ${seconds} * interval '1 second'`));
}
