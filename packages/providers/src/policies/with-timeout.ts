import { type CalendarProvider, ProviderError } from '../contract/index.ts';
import type { Policy } from './wrap-port.ts';

/** Ends a call that takes longer than `timeoutMs` as `transient`/`timeout`; what it did is then unknown. */
export function withTimeout(calendarProvider: CalendarProvider, timeoutMs: number): Policy {
  return async ({ operation, signal }, next) => {
    const controller = new AbortController();
    const timer = setTimeout(() => {
      controller.abort(
        new ProviderError({
          kind: 'transient',
          calendarProvider,
          operation,
          status: null,
          reason: 'timeout',
          retryAfterMs: null,
          requestId: null,
          outcomeUnknown: true,
        }),
      );
    }, timeoutMs);
    try {
      return await next(AbortSignal.any([signal, controller.signal]));
    } catch (error) {
      throw controller.signal.aborted && !signal.aborted ? controller.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  };
}
