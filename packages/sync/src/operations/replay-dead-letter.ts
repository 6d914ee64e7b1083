/**
 * Trying dead work again. The letter is closed first, in the transaction that makes the work due: of two operators who
 * press at once, one replays.
 */
import {
  acceptBookingIntent,
  type BookingIntent,
  closeDeadLetter,
  type Database,
  type DeadLetter,
  releaseDeletions,
  restoreDeletions,
  reviveEffect,
  StrangeProviderError,
  writeOperatorLog,
} from '@bookiji/db';

export type ReplayResult =
  | { readonly outcome: 'replayed' }
  | { readonly outcome: 'already_replayed' }
  /** The payload still does not validate; the letter stays open. */
  | { readonly outcome: 'still_invalid'; readonly reason: string }
  /** The booking, or its connection, is gone; there is nothing to try. */
  | { readonly outcome: 'nothing_left' };

/** Validates a payload as the queue does. */
export type ReadBooking = (
  payload: unknown,
) => { readonly ok: true; readonly intent: BookingIntent } | { readonly ok: false; readonly reason: string };

/** Tries dead work again and says in the operator log who wanted that, whatever came of it. */
export async function replayAsOperator(
  db: Database,
  letter: DeadLetter,
  { actor, readBooking }: { readonly actor: string; readonly readBooking: ReadBooking },
): Promise<ReplayResult> {
  const result = await replayDeadLetter(db, letter, readBooking);
  const details = { outcome: result.outcome };
  await writeOperatorLog(db, { actor, action: 'dead_letter_replayed', subject: letter.id, details });
  return result;
}

/** Has the events of held deletions written again, and says who wanted that; null for letters of other kinds. */
export async function restoreAsOperator(db: Database, letter: DeadLetter, actor: string): Promise<ReplayResult | null> {
  const result = await restoreHeldDeletions(db, letter);
  if (result === null) return null;
  const details = { outcome: result.outcome };
  await writeOperatorLog(db, { actor, action: 'held_deletions_restored', subject: letter.id, details });
  return result;
}

export async function replayDeadLetter(
  db: Database,
  letter: DeadLetter,
  readBooking: ReadBooking,
): Promise<ReplayResult> {
  // Asked first: an invalid payload of a closed letter would be called open still.
  if (letter.replayedAt !== null) return { outcome: 'already_replayed' };
  if (letter.kind === 'booking_event') {
    const read = readBooking(letter.payload);
    if (!read.ok) return { outcome: 'still_invalid', reason: read.reason };
    return replayBooking(db, letter, read.intent);
  }
  if (letter.kind === 'held_deletions') return settleHeld(db, letter, releaseDeletions);
  const [bookingId = '', connectionId = ''] = letter.subject.split(':');
  return db.transaction(async (tx) => {
    if (!(await closeDeadLetter(tx, letter.id))) return { outcome: 'already_replayed' };
    return { outcome: (await reviveEffect(tx, bookingId, connectionId)) ? 'replayed' : 'nothing_left' };
  });
}

async function replayBooking(db: Database, letter: DeadLetter, intent: BookingIntent): Promise<ReplayResult> {
  try {
    return await db.transaction(async (tx) => {
      if (!(await closeDeadLetter(tx, letter.id))) return { outcome: 'already_replayed' };
      await acceptBookingIntent(tx, intent);
      return { outcome: 'replayed' };
    });
  } catch (error) {
    // The letter was closed in what was rolled back, so it stays open.
    if (error instanceof StrangeProviderError) return { outcome: 'still_invalid', reason: error.message };
    throw error;
  }
}

/**
 * The other answer to held deletions: the owner did not mean them, so the events are written again. (A replay lets the
 * deletions go: they are told to the booking service.)
 *
 * @returns null for a letter of another kind, which knows no such answer.
 */
export async function restoreHeldDeletions(db: Database, letter: DeadLetter): Promise<ReplayResult | null> {
  return letter.kind === 'held_deletions' ? settleHeld(db, letter, restoreDeletions) : null;
}

function settleHeld(
  db: Database,
  letter: DeadLetter,
  settle: (tx: Database, connectionId: string) => Promise<number>,
): Promise<ReplayResult> {
  return db.transaction(async (tx) => {
    if (!(await closeDeadLetter(tx, letter.id))) return { outcome: 'already_replayed' };
    return { outcome: (await settle(tx, letter.subject)) > 0 ? 'replayed' : 'nothing_left' };
  });
}
