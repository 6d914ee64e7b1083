import {
  type AcceptedBooking,
  acceptBookingIntent,
  type Database,
  isDataError,
  listWaitingEvents,
  StrangeProviderError,
  takeFromOutbox,
  type WaitingEvent,
  writeDeadLetter,
} from '@bookiji/db';
import { type QueueSystem, readBookingIntent, ringOutboundSyncs } from '@bookiji/queues';
import type { Sweep } from '../sweeper.ts';

const BATCH = 200;
/** After so many batches the turn ends; the rest waits for the next one. */
const BATCHES_AT_MOST = 25;

export type OutboxOutcome = 'accepted' | 'superseded' | 'dead_letter';

export interface OutboxOptions {
  readonly db: Database;
  readonly queues: QueueSystem;
  readonly intervalMs: number;
  readonly onTaken: (outcome: OutboxOutcome) => void;
  readonly onRingLost: (error: unknown) => void;
}

/**
 * Takes in what a booking service wrote into the outbox, straight into the desired state: a queue in between could only
 * lose it. At least once; the highest version wins. Not asked of flags, as nothing that comes in is: what is stored
 * waits for them.
 */
export function sweepBookingOutbox(options: OutboxOptions): Sweep {
  return {
    name: 'booking_outbox',
    intervalMs: options.intervalMs,
    async run() {
      let found = 0;
      for (let batch = 0; batch < BATCHES_AT_MOST; batch += 1) {
        const waiting = await listWaitingEvents(options.db, BATCH);
        for (const event of waiting) await takeIn(options, event);
        found += waiting.length;
        if (waiting.length < BATCH) break;
      }
      return found;
    },
  };
}

async function takeIn(options: OutboxOptions, event: WaitingEvent): Promise<void> {
  const read = readBookingIntent(event.payload);
  if (!read.ok) return bury(options, event, read.reason);
  const { intent } = read;
  let accepted: AcceptedBooking | null;
  try {
    accepted = await takeFromOutbox(options.db, event.id, (tx) => acceptBookingIntent(tx, intent));
  } catch (error) {
    // One event that can never be stored must not hold up those behind it.
    if (error instanceof StrangeProviderError) return bury(options, event, error.message);
    if (isDataError(error)) return bury(options, event, 'the database refuses its content');
    throw error;
  }
  if (accepted === null) return;
  options.onTaken(accepted.accepted ? 'accepted' : 'superseded');
  if (!accepted.accepted) return;
  const effects = accepted.connectionIds.map((id) => ({ booking_id: intent.bookingId, connection_id: id }));
  await ringOutboundSyncs(options.queues, effects).catch(options.onRingLost);
}

async function bury({ db, onTaken }: OutboxOptions, event: WaitingEvent, reason: string): Promise<void> {
  const letter = { kind: 'booking_event', reason, subject: `outbox:${event.eventId}`, payload: event.payload } as const;
  const buried = await takeFromOutbox(db, event.id, (tx) => writeDeadLetter(tx, letter));
  if (buried !== null) onTaken('dead_letter');
}
