import { type BookingEventMessage, describeIssues, type FieldIssue, parseBookingEvent } from './booking-events.ts';
import { QUEUE_NAMES } from './queue-names.ts';
import type { QueueSystem } from './transport.ts';

/** The payload does not validate; nothing was published. */
export class InvalidBookingEventError extends Error {
  readonly issues: readonly FieldIssue[];

  constructor(issues: readonly FieldIssue[]) {
    super(`invalid booking event: ${describeIssues(issues)}`);
    this.name = 'InvalidBookingEventError';
    this.issues = issues;
  }
}

/** Together, so that a busy Redis answers within a command's time. */
const BATCH = 100;

/**
 * Publishes booking events for the booking service. Publishing the same event twice is harmless: the highest version of
 * a booking wins, whatever order events arrive in.
 *
 * @throws InvalidBookingEventError before anything is sent; a transport error when the queue is away (publish again).
 */
export async function publishBookingEvents(queues: QueueSystem, events: readonly BookingEventMessage[]): Promise<void> {
  for (const event of events) {
    const parsed = parseBookingEvent(event);
    if (!parsed.ok) throw new InvalidBookingEventError(parsed.issues);
  }
  const queue = queues.queue(QUEUE_NAMES.bookingEvents);
  for (let from = 0; from < events.length; from += BATCH) await queue.addBulk(toJobs(events.slice(from, from + BATCH)));
}

function toJobs(events: readonly BookingEventMessage[]) {
  return events.map((event) => ({
    name: event.type,
    data: event,
    opts: {
      jobId: event.event_id,
      attempts: 50,
      backoff: { type: 'exponential' as const, delay: 500, jitter: 0.5 },
      removeOnComplete: true,
    },
  }));
}
