import { QUEUE_NAMES, type QueueSystem } from '@bookiji/queues';
import { withDeadline } from '@bookiji/runtime';

/** Asked for by name: the PostgreSQL backend leaves `paused` out of the default answer. */
export const QUEUE_STATES = ['waiting', 'active', 'delayed', 'prioritized', 'paused', 'failed'] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

export interface QueueGlance {
  readonly name: string;
  /** Null when the transport did not answer. */
  readonly counts: Readonly<Record<QueueState, number>> | null;
  readonly isPaused: boolean;
}

/** BullMQ itself waits for a store it never met, however long that takes; who asks us waits for all of them at once. */
const READ_WITHIN_MS = 2_000;

export async function readQueues(queues: QueueSystem): Promise<QueueGlance[]> {
  return Promise.all(Object.values(QUEUE_NAMES).map((name) => readQueue(queues, name)));
}

async function readQueue(queues: QueueSystem, name: string): Promise<QueueGlance> {
  try {
    const queue = queues.queue(name);
    const asked = [queue.getJobCounts(...(QUEUE_STATES as unknown as 'waiting'[])), queue.isPaused()] as const;
    const [counts, isPaused] = await withDeadline(Promise.all(asked), READ_WITHIN_MS, `${name} did not answer`);
    const known = Object.fromEntries(QUEUE_STATES.map((state) => [state, counts[state] ?? 0]));
    return { name, counts: known as Record<QueueState, number>, isPaused };
  } catch {
    return { name, counts: null, isPaused: false };
  }
}

/** What stands before the workers, in whichever state the transport keeps it. */
export function countWaiting({ counts }: QueueGlance): number {
  return counts === null ? 0 : counts.waiting + counts.paused + counts.prioritized + counts.delayed;
}
