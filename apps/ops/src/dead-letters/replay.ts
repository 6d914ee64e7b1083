import { type Database, type DeadLetter, writeOperatorLog } from '@bookiji/db';
import { parseBookingEvent, toDesiredBooking } from '@bookiji/queues';
import { type ReadBooking, type ReplayResult, replayDeadLetter, restoreHeldDeletions } from '@bookiji/sync';

const readBooking: ReadBooking = (payload) => {
  const parsed = parseBookingEvent(payload);
  if (parsed.ok) return { ok: true, intent: toDesiredBooking(parsed.event) };
  return { ok: false, reason: parsed.issues.map((issue) => `${issue.path || 'payload'}: ${issue.message}`).join('; ') };
};

/** Tries dead work again and says in the operator log who wanted that. */
export async function replayAsOperator(db: Database, letter: DeadLetter, actor: string): Promise<ReplayResult> {
  const result = await replayDeadLetter(db, letter, readBooking);
  const details = { outcome: result.outcome };
  await writeOperatorLog(db, { actor, action: 'dead_letter_replayed', subject: letter.id, details });
  return result;
}

/** Has the events of held deletions written again; null for letters of other kinds. */
export async function restoreAsOperator(db: Database, letter: DeadLetter, actor: string): Promise<ReplayResult | null> {
  const result = await restoreHeldDeletions(db, letter);
  if (result === null) return null;
  const details = { outcome: result.outcome };
  await writeOperatorLog(db, { actor, action: 'held_deletions_restored', subject: letter.id, details });
  return result;
}
