/**
 * Proves that work comes through a worker: a canary goes into its queue every now and then, and whatever the worker
 * starts or ends is proof. Several processes share a queue, so a canary may prove another worker than the one that sent
 * it; over a few of them each has its turn.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger, Metrics } from '@bookiji/observability';
import type { QueueSystem } from '@bookiji/queues';
import { judgeLiveness, type LivenessState } from './judge-liveness.ts';

/** The name of a canary's job; it carries nothing and does nothing. */
export const CANARY = 'calsync.canary';

/** So many canaries before a worker counts as lost. */
const CANARIES = 6;

export interface WatchOptions {
  readonly queues: QueueSystem;
  readonly queue: string;
  readonly instanceId: string;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly lostAfterMs: number;
  readonly isPaused: () => boolean;
  readonly isFull: () => boolean;
  /** Told once. */
  readonly onLost: () => void;
}

export interface WorkerWatch {
  readonly state: LivenessState;
  /** A job or canary came or went. */
  prove(): void;
  stop(): void;
}

export function watchWorker(options: WatchOptions): WorkerWatch {
  const { queues, queue, lostAfterMs, logger } = options;
  let provenAt = performance.now();
  let reachableSince: number | null = null;
  let state: LivenessState = 'alive';
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const look = async () => {
    const isPaused = options.isPaused() || (await isQueuePaused(queues, queue));
    // Nothing could come through meanwhile, so the time begins anew when it may again.
    if (isPaused) provenAt = performance.now();
    else await sendCanary(options).catch(() => undefined);
    if (performance.now() - provenAt < lostAfterMs) reachableSince = null;
    else if (!(await answers(queues))) reachableSince = null;
    else reachableSince ??= performance.now();
    const now = performance.now();
    const reachableMs = reachableSince === null ? null : now - reachableSince;
    return judgeLiveness({ unprovenMs: now - provenAt, isPaused, isFull: options.isFull(), reachableMs }, lostAfterMs);
  };
  const loop = async () => {
    const seen = await look();
    if (isStopped) return;
    if (seen !== state) logger.warn({ queue, outcome: seen, before: state }, 'the worker’s hold of its queue changed');
    state = seen;
    if (seen === 'lost') return options.onLost();
    timer = setTimeout(() => void loop(), lostAfterMs / CANARIES);
    timer.unref();
  };
  void loop();

  return {
    get state() {
      return state;
    },
    prove() {
      provenAt = performance.now();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** First in line, at most one of each process at a time, and gone once it came through. */
async function sendCanary({ queues, queue, instanceId }: WatchOptions): Promise<void> {
  const opts = {
    lifo: true,
    removeOnComplete: true,
    removeOnFail: true,
    deduplication: { id: `canary.${instanceId}` },
  };
  await queues.queue(queue).addBulk([{ name: CANARY, data: {}, opts }]);
}

/** Paused for all, in Bull Board. Not known while the queue does not answer. */
async function isQueuePaused(queues: QueueSystem, queue: string): Promise<boolean> {
  const asked = queues
    .queue(queue)
    .isPaused()
    .catch(() => false);
  return Promise.race([asked, sleep(2_000, false, { ref: false })]);
}

async function answers(queues: QueueSystem): Promise<boolean> {
  return queues.probe().then(
    () => true,
    () => false,
  );
}
