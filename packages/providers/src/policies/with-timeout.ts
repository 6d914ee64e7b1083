import type { Policy } from './policy.ts';
import { systemTimers, type Timers } from './timers.ts';

/**
 * Gives each request `ms` milliseconds, then aborts it; the adapter names that `transient`/`timeout`, and says whether a
 * write may have happened.
 */
export function withTimeout(ms: number, timers: Timers = systemTimers): Policy {
  return async (call, next) => {
    const controller = new AbortController();
    const cancel = timers.schedule(ms, () =>
      controller.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')),
    );
    try {
      return await next(AbortSignal.any([call.signal, controller.signal]));
    } finally {
      cancel();
    }
  };
}
