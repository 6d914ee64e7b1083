/** A BullMQ worker as a part of a process: started, watched, drained. */
import type { Logger, Metrics } from '@bookiji/observability';
import type { QueueSystem } from '@bookiji/queues';
import type { Part } from '@bookiji/runtime';

export interface QueueWork {
  readonly queue: string;
  readonly concurrency: number;
  /** @returns the outcome's name, for the counter. */
  readonly process: (
    job: { readonly id: string; readonly name: string; readonly data: unknown },
    signal: AbortSignal,
  ) => Promise<string>;
}

/**
 * Starts a worker. On stop it takes no new job and waits for those in flight; at `deadline` their calls are aborted,
 * their leases given back, and the jobs are done by somebody else.
 */
export function startWorker(
  deps: { readonly queues: QueueSystem; readonly metrics: Metrics; readonly logger: Logger },
  work: QueueWork,
  deadline: AbortSignal,
): Part {
  const { metrics, logger } = deps;
  const worker = deps.queues.worker(
    work.queue,
    async (job, _token, signal) => {
      const ends = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
      const outcome = await work.process({ id: job.id ?? job.name, name: job.name, data: job.data }, ends);
      metrics.jobs.inc({ queue: work.queue, outcome });
      return outcome;
    },
    { concurrency: work.concurrency },
  );
  worker.on('failed', (job, error) => {
    metrics.jobs.inc({ queue: work.queue, outcome: 'threw' });
    logger.error({ queue: work.queue, job_id: job?.id, attempt: job?.attemptsMade, err: error }, 'job failed');
  });
  worker.on('stalled', () => metrics.stalledJobs.inc({ queue: work.queue }));
  // The lock is lost: somebody else may have the job by now, so our calls for it must end.
  worker.on('lockRenewalFailed', (jobIds: string[]) => {
    for (const id of jobIds) worker.cancelJob(id);
  });
  worker.run().catch((error: unknown) => logger.error({ queue: work.queue, err: error }, 'worker ended'));
  return { name: `worker of ${work.queue}`, stop: () => worker.close() };
}
