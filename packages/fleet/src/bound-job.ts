/**
 * The last net under a job: one that never ends would keep its place in the worker, and the queue would hold back every
 * further ring of its id, for as long as the process lives.
 *
 * @param start is given a signal that aborts with `parent`, or when `atMostMs` are over.
 * @returns as the work ends; throws when it has not ended `graceMs` after it was called off. It is left to itself then,
 * and what it still does is for its own fences to judge.
 */
export async function boundJob<T>(
  start: (signal: AbortSignal) => Promise<T>,
  parent: AbortSignal,
  limits: { readonly atMostMs: number; readonly graceMs: number },
): Promise<T> {
  const controller = new AbortController();
  const signal = AbortSignal.any([controller.signal, parent]);
  const left = Promise.withResolvers<never>();
  const timers = [setTimeout(() => controller.abort(new Error('the job took too long')), limits.atMostMs)];
  const onAbort = () => {
    const leave = () => left.reject(new Error('a job that was called off did not end'));
    timers.push(setTimeout(leave, limits.graceMs));
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([start(signal), left.promise]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
