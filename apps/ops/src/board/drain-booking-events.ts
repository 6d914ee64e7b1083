/** Emptying the queue of booking events without losing one: what waits becomes a dead letter that can be replayed. */
import { type Database, writeDeadLetter } from '@bookiji/db';
import { QUEUE_NAMES, type QueueSystem, subjectOfJob } from '@bookiji/queues';

/** `paused` is a state of its own on the PostgreSQL backend. */
const WAITING = ['waiting', 'paused', 'prioritized', 'delayed'] as unknown as 'waiting'[];
const BATCH = 200;

/** @returns how many were set aside. A job that a worker takes meanwhile is left to it. */
export async function drainBookingEvents(db: Database, queues: QueueSystem): Promise<number> {
  const queue = queues.queue(QUEUE_NAMES.bookingEvents);
  const jobs = [];
  for (let from = 0; ; from += BATCH) {
    const page = await queue.getJobs(WAITING, from, from + BATCH - 1, true);
    jobs.push(...page.filter((job) => job !== undefined && job !== null));
    if (page.length < BATCH) break;
  }
  let moved = 0;
  for (const job of jobs) {
    // The letter first: of a crash in between comes a repeat, which its version settles.
    await writeDeadLetter(db, {
      kind: 'booking_event',
      reason: 'taken out of the queue by an operator',
      subject: subjectOfJob(job),
      payload: job.data ?? null,
    });
    await job.remove().catch(() => undefined);
    moved += 1;
  }
  return moved;
}
