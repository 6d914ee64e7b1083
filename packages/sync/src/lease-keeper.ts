import { LeaseLostError } from '@bookiji/db';

/** Keeps a lease while work under it goes on, and aborts the work when the lease cannot be kept. */
export interface LeaseKeeper {
  /** Aborts when the lease is lost, cannot be renewed in time, or the caller's own signal aborts. */
  readonly signal: AbortSignal;
  stop(): void;
}

/**
 * Renews at a third of the lease's length. The local clock may only make the holder give up sooner: when the last
 * confirmed renewal is two thirds of a lease ago, the work is aborted although the database might still grant it.
 *
 * @param extend moves the lease's end; throws `LeaseLostError` when it is no longer ours.
 */
export function keepLease(extend: () => Promise<void>, leaseMs: number, parent: AbortSignal): LeaseKeeper {
  const controller = new AbortController();
  const step = leaseMs / 3;
  let confirmedAt = performance.now();
  const timer = setInterval(() => {
    const askedAt = performance.now();
    extend().then(
      () => {
        confirmedAt = Math.max(confirmedAt, askedAt);
      },
      (error: unknown) => {
        if (error instanceof LeaseLostError) controller.abort(error);
      },
    );
    if (askedAt - confirmedAt > 2 * step)
      controller.abort(new LeaseLostError('work that could not renew its lease in time'));
  }, step);
  timer.unref();
  return {
    signal: AbortSignal.any([controller.signal, parent]),
    stop: () => clearInterval(timer),
  };
}
