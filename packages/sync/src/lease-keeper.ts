import { LeaseLostError } from '@bookiji/db';

/** Keeps a lease while work under it goes on, and aborts the work when the lease cannot be kept. */
export interface LeaseKeeper {
  /** Aborts when the lease is lost, cannot be renewed in time, the work stands still, or the caller's own signal aborts. */
  readonly signal: AbortSignal;
  /** Ends as `work` does; throws `LeaseLostError` when it has not ended a lease's length after it was called off. */
  hold<T>(work: Promise<T>): Promise<T>;
  /** The work has come a step further, and has the whole time for the next one. */
  proceed(): void;
  stop(): void;
}

export interface LeaseTerms {
  readonly leaseMs: number;
  /** Work that takes longer for one step is taken to stand still. */
  readonly stepAtMostMs: number;
}

/**
 * Renews at a third of the lease's length. The local clock may only make the holder give up sooner: when the last
 * confirmed renewal is two thirds of a lease ago, the work is aborted although the database might still grant it.
 *
 * What if the work never ends, whatever it waits for? A lease that is renewed for it keeps everybody else away, so work
 * that stands still is called off, what is called off is not renewed, and what does not end even so is left behind: by
 * then another may have the lease, and nothing that the old holder records counts any more.
 *
 * @param extend moves the lease's end; throws `LeaseLostError` when it is no longer ours.
 */
export function keepLease(extend: () => Promise<void>, terms: LeaseTerms, parent: AbortSignal): LeaseKeeper {
  const { leaseMs, stepAtMostMs } = terms;
  const step = leaseMs / 3;
  const controller = new AbortController();
  const signal = AbortSignal.any([controller.signal, parent]);
  const left = Promise.withResolvers<never>();
  left.promise.catch(() => undefined);
  let confirmedAt = performance.now();
  let proceededAt = confirmedAt;
  let calledOffAt: number | null = null;

  const renew = (askedAt: number) => {
    extend().then(
      () => {
        confirmedAt = Math.max(confirmedAt, askedAt);
      },
      (error: unknown) => {
        if (error instanceof LeaseLostError) controller.abort(error);
      },
    );
  };
  const timer = setInterval(() => {
    const now = performance.now();
    if (signal.aborted) {
      calledOffAt ??= now;
      if (now - calledOffAt >= leaseMs) left.reject(new LeaseLostError('work that did not end'));
      return;
    }
    renew(now);
    if (now - confirmedAt > 2 * step)
      controller.abort(new LeaseLostError('work that could not renew its lease in time'));
    if (now - proceededAt > stepAtMostMs) controller.abort(new LeaseLostError('work that stood still'));
  }, step);
  timer.unref();
  return {
    signal,
    hold: (work) => Promise.race([work, left.promise]),
    proceed() {
      proceededAt = performance.now();
    },
    stop: () => clearInterval(timer),
  };
}
