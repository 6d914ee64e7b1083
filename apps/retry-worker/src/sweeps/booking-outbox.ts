import {
  acceptBookingIntent,
  type Database,
  listWaitingEvents,
  takeFromOutbox,
  type WaitingEvent,
  writeDeadLetter,
} from '@bookiji/db';
import { parseBookingEvent, type QueueSystem, ringOutboundSyncs, toDesiredBooking } from '@bookiji/queues';
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
  const parsed = parseBookingEvent(event.payload);
  const result = await takeFromOutbox(options.db, event.id, async (tx) => {
    if (parsed.ok) return acceptBookingIntent(tx, toDesiredBooking(parsed.event));
    const reason = parsed.issues.map((issue) => `${issue.path || 'payload'}: ${issue.message}`).join('; ');
    await writeDeadLetter(tx, {
      kind: 'booking_event',
      reason,
      subject: `outbox:${event.eventId}`,
      payload: event.payload,
    });
    return 'dead_letter' as const;
  });
  if (result === null) return;
  if (result === 'dead_letter' || !parsed.ok) return options.onTaken('dead_letter');
  options.onTaken(result.accepted ? 'accepted' : 'superseded');
  if (!result.accepted) return;
  const bookingId = parsed.event.booking_id.toLowerCase();
  const effects = result.connectionIds.map((id) => ({ booking_id: bookingId, connection_id: id }));
  await ringOutboundSyncs(options.queues, effects).catch(options.onRingLost);
}
