/** A BullMQ worker as a part of a process: started, watched, drained. */
import { type FlagBoard, switchName } from '@bookiji/flags';
import type { Logger, Metrics } from '@bookiji/observability';
import { parkJob, postponeMs, type QueueSystem, type WorkerHandle } from '@bookiji/queues';
import type { Part } from '@bookiji/runtime';

/** A job that was already on its way when its queue was switched off is handed back for so long. */
const PARK_MS = 1_000;

export interface QueueWork {
  readonly queue: string;
  readonly concurrency: number;
  /**
   * The job is the only place its fact is in: what throws is tried again however few attempts its publisher allowed.
   * Without it a database that is away for a moment would fail the jobs of every plain client for good.
   */
  readonly isNeverGivenUp?: boolean;
  /** @returns the outcome's name, for the counter. */
  readonly process: (
    job: { readonly id: string; readonly name: string; readonly data: unknown },
    signal: AbortSignal,
  ) => Promise<string>;
}

/**
 * Starts a worker. On stop it takes no new job and waits for those in flight; at `deadline` their calls are aborted,
 * their leases given back, and the jobs are done by somebody else.
 *
 * While an operator has the queue switched off no job is started; they wait in the queue, since a booking event may be
 * nowhere else yet.
 */
export function startWorker(
  deps: {
    readonly queues: QueueSystem;
    readonly flags: FlagBoard;
    readonly metrics: Metrics;
    readonly logger: Logger;
  },
  work: QueueWork,
  deadline: AbortSignal,
): Part {
  const { flags, metrics, logger } = deps;
  const isQueueOn = () => flags.isSwitchOn(switchName('queue', work.queue));
  const onFailed = (job: { id?: string; attemptsStarted: number } | undefined, error: unknown) => {
    metrics.jobs.inc({ queue: work.queue, outcome: 'threw' });
    logger.error({ queue: work.queue, job_id: job?.id, attempt: job?.attemptsStarted, err: error }, 'job failed');
  };
  const worker = deps.queues.worker(
    work.queue,
    async (job, token, signal) => {
      if (!isQueueOn()) return parkJob(job, token, new Date(Date.now() + PARK_MS));
      const ends = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
      try {
        const outcome = await work.process({ id: job.id ?? job.name, name: job.name, data: job.data }, ends);
        metrics.jobs.inc({ queue: work.queue, outcome });
        return outcome;
      } catch (error) {
        if (work.isNeverGivenUp !== true) throw error;
        onFailed(job, error);
        return parkJob(job, token, new Date(Date.now() + postponeMs(job.attemptsStarted, Math.random())));
      }
    },
    { concurrency: work.concurrency, ...(work.isNeverGivenUp === true ? { maxStartedAttempts: 0 } : {}) },
  );
  worker.on('failed', onFailed);
  metrics.stalledJobs.inc({ queue: work.queue }, 0);
  worker.on('stalled', () => metrics.stalledJobs.inc({ queue: work.queue }));
  // The lock is lost: somebody else may have the job by now, so our calls for it must end.
  worker.on('lockRenewalFailed', (jobIds: string[]) => {
    for (const id of jobIds) worker.cancelJob(id);
  });
  worker.run().catch((error: unknown) => logger.error({ queue: work.queue, err: error }, 'worker ended'));
  const unwatch = followSwitch(worker, flags, isQueueOn, (isOn) =>
    logger.info({ queue: work.queue, outcome: isOn ? 'resumed' : 'paused' }, 'the queue was switched'),
  );
  return {
    name: `worker of ${work.queue}`,
    stop: async () => {
      unwatch();
      await worker.close();
    },
  };
}

/** Pauses and resumes this process's worker with its queue's switch; jobs in flight are not touched. */
function followSwitch(
  worker: WorkerHandle,
  flags: FlagBoard,
  isQueueOn: () => boolean,
  onTurned: (isOn: boolean) => void,
): () => void {
  const follow = () => {
    const isOn = isQueueOn();
    if (isOn !== worker.isPaused()) return;
    onTurned(isOn);
    // Both report their troubles on the worker's `error` event.
    void (isOn ? worker.resume() : worker.pause(true)).catch(() => undefined);
  };
  follow();
  return flags.onRefresh(follow);
}
