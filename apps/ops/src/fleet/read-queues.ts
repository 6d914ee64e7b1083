import { QUEUE_NAMES, type QueueSystem } from '@bookiji/queues';

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
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not answer`)), READ_WITHIN_MS);
  });
  try {
    const queue = queues.queue(name);
    const asked = [queue.getJobCounts(...(QUEUE_STATES as unknown as 'waiting'[])), queue.isPaused()] as const;
    const [counts, isPaused] = await Promise.race([Promise.all(asked), expired]);
    const known = Object.fromEntries(QUEUE_STATES.map((state) => [state, counts[state] ?? 0]));
    return { name, counts: known as Record<QueueState, number>, isPaused };
  } catch {
    return { name, counts: null, isPaused: false };
  } finally {
    clearTimeout(timer);
  }
}

/** What stands before the workers, in whichever state the transport keeps it. */
export function countWaiting({ counts }: QueueGlance): number {
  return counts === null ? 0 : counts.waiting + counts.paused + counts.prioritized + counts.delayed;
}
