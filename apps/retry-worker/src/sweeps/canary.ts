import { type QueueSystem, ringRetry } from '@bookiji/queues';
import type { Sweep } from '../sweeper.ts';

const INTERVAL_MS = 10_000;

/** Sends a job that only says "I came through": a worker that hangs while its process looks alive is seen by its silence. */
export function sweepCanary(options: { readonly queues: QueueSystem }): Sweep {
  return {
    name: 'canary',
    intervalMs: INTERVAL_MS,
    async run() {
      await ringRetry(options.queues, [{ task: 'canary' }]);
      return 1;
    },
  };
}
