import { acceptBookingIntent, type Database, isDataError, StrangeProviderError, writeDeadLetter } from '@bookiji/db';
import {
  type BookingEvent,
  describeIssues,
  parseBookingEvent,
  type QueueSystem,
  ringOutboundSyncs,
  subjectOfJob,
  toDesiredBooking,
} from '@bookiji/queues';

export type BookingEventResult =
  | { readonly outcome: 'accepted'; readonly event: BookingEvent; readonly connectionCount: number }
  | { readonly outcome: 'superseded'; readonly event: BookingEvent }
  | { readonly outcome: 'dead_letter'; readonly reason: string };

export interface BookingEventDeps {
  readonly db: Database;
  readonly queues: QueueSystem;
  readonly onRingLost: (error: unknown) => void;
}

/**
 * One booking event: validated, stored if it is the newest of its booking, rung on. The job completes only after the
 * commit. What does not validate, or cannot be stored, becomes a dead letter and never blocks the queue.
 *
 * @throws when the database is away: the queue tries again.
 */
export async function processBookingEvent(
  deps: BookingEventDeps,
  job: { readonly id: string; readonly data: unknown },
): Promise<BookingEventResult> {
  const parsed = parseBookingEvent(job.data);
  if (!parsed.ok) return bury(deps.db, job, describeIssues(parsed.issues));
  const { event } = parsed;
  const accepted = await acceptBookingIntent(deps.db, toDesiredBooking(event)).catch((error: unknown) => {
    if (error instanceof StrangeProviderError) return error.message;
    if (isDataError(error)) return 'the database refuses its content';
    throw error;
  });
  if (typeof accepted === 'string') return bury(deps.db, job, accepted);
  if (!accepted.accepted) return { outcome: 'superseded', event };
  try {
    await ringOutboundSyncs(
      deps.queues,
      accepted.connectionIds.map((id) => ({ booking_id: event.booking_id, connection_id: id })),
    );
  } catch (error) {
    deps.onRingLost(error);
  }
  return { outcome: 'accepted', event, connectionCount: accepted.connectionIds.length };
}

async function bury(
  db: Database,
  job: { readonly id: string; readonly data: unknown },
  reason: string,
): Promise<BookingEventResult> {
  await writeDeadLetter(db, { kind: 'booking_event', reason, subject: subjectOfJob(job), payload: job.data });
  return { outcome: 'dead_letter', reason };
}
