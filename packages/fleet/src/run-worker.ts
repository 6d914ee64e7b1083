/** A BullMQ worker as a part of a process: started, watched, drained. */
import { type FlagBoard, switchName } from '@bookiji/flags';
import type { Logger, Metrics } from '@bookiji/observability';
import { parkJob, postponeMs, type QueueSystem, type WorkerHandle } from '@bookiji/queues';
import type { Part, ProcessContext } from '@bookiji/runtime';
import { boundJob } from './bound-job.ts';
import type { LivenessBoard } from './liveness-board.ts';
import { CANARY, watchWorker } from './watch-worker.ts';

/** A job that was already on its way when its queue was switched off is handed back for so long. */
const PARK_MS = 1_000;

const JOB_AT_MOST_MS = 5 * 60_000;
/** For calls to be aborted and leases to be given back. */
const JOB_GRACE_MS = 10_000;

export interface QueueWork {
  readonly queue: string;
  readonly concurrency: number;
  /**
   * The job is the only place its fact is in: what throws is tried again however few attempts its publisher allowed.
   * Without it a database that is away for a moment would fail the jobs of every plain client for good.
   */
  readonly isNeverGivenUp?: boolean;
  /** A job that takes longer is called off, milliseconds. Default: five minutes. */
  readonly atMostMs?: number;
  /** @returns the outcome's name, for the counter. */
  readonly process: (
    job: { readonly id: string; readonly name: string; readonly data: unknown },
    signal: AbortSignal,
  ) => Promise<string>;
}

/**
 * Starts a worker. On stop it takes no new job and waits for those in flight; at the context's deadline their calls are
 * aborted, their leases given back, and the jobs are done by somebody else. A worker through which nothing comes although
 * its queue answers others ends its process, so that a new one takes over.
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
    readonly instanceId: string;
    readonly liveness: LivenessBoard;
  },
  work: QueueWork,
  context: Pick<ProcessContext, 'deadline' | 'fail'>,
): Part {
  const { flags, metrics, logger } = deps;
  const { deadline } = context;
  const limits = { atMostMs: work.atMostMs ?? JOB_AT_MOST_MS, graceMs: JOB_GRACE_MS };
  let inFlight = 0;
  const isQueueOn = () => flags.isSwitchOn(switchName('queue', work.queue));
  const onFailed = (job: { id?: string; attemptsStarted: number } | undefined, error: unknown) => {
    metrics.jobs.inc({ queue: work.queue, outcome: 'threw' });
    logger.error({ queue: work.queue, job_id: job?.id, attempt: job?.attemptsStarted, err: error }, 'job failed');
  };
  // Counted from the start: a queue through which no canary ever comes would otherwise be absent instead of stale.
  metrics.canaryLastSuccess.set({ queue: work.queue }, Date.now() / 1000);
  const worker = deps.queues.worker(
    work.queue,
    async (job, token, signal) => {
      watch.prove();
      if (job.name === CANARY) {
        metrics.canaryLastSuccess.set({ queue: work.queue }, Date.now() / 1000);
        return 'canary';
      }
      if (!isQueueOn()) return parkJob(job, token, new Date(Date.now() + PARK_MS));
      const ends = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
      inFlight += 1;
      try {
        const said = { id: job.id ?? job.name, name: job.name, data: job.data };
        const outcome = await boundJob((inTime) => work.process(said, inTime), ends, limits);
        metrics.jobs.inc({ queue: work.queue, outcome });
        return outcome;
      } catch (error) {
        if (work.isNeverGivenUp !== true) throw error;
        onFailed(job, error);
        return parkJob(job, token, new Date(Date.now() + postponeMs(job.attemptsStarted, Math.random())));
      } finally {
        inFlight -= 1;
        watch.prove();
      }
    },
    { concurrency: work.concurrency, ...(work.isNeverGivenUp === true ? { maxStartedAttempts: 0 } : {}) },
  );
  const watch = watchWorker({
    ...deps,
    queue: work.queue,
    lostAfterMs: deps.liveness.lostAfterMs,
    isPaused: () => worker.isPaused(),
    isFull: () => inFlight >= work.concurrency,
    onLost: () => context.fail(new Error(`nothing comes through ${work.queue} any more, although the queue answers`)),
  });
  deps.liveness.add(work.queue, () => watch.state);
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
      watch.stop();
      // Through a lost line no job in flight can be handed back, so there is nothing to wait for.
      await worker.close(watch.state === 'lost');
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
