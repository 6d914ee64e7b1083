import { ProviderError, type ProviderErrorFacts } from '../contract/index.ts';
import type { Admission, Limiter } from './limiter.ts';
import type { Policy, ProviderCall } from './policy.ts';
import type { Lane } from './waiting-line.ts';

export interface LimitedConnection {
  readonly connectionId: string;
  /** Default `background`. */
  readonly lane?: Lane;
}

/** Google says that it limits, but not for how long: its guide starts to back off with a second. */
const PAUSE_MS = 1_000;

/**
 * Lets each call of one connection wait for its turn. A call that cannot have one is `rate_limited` with a time to come
 * back, which spends no attempt; so is everything of a connection that the provider itself has just sent away.
 */
export function withLimiter(limiter: Limiter, { connectionId, lane = 'background' }: LimitedConnection): Policy {
  return async (call, next) => {
    const admission = await limiter.enter({ connectionId, lane, signal: call.signal });
    if (!admission.isAdmitted) throw sentAway(call, admission);
    let isUnused = false;
    try {
      return await next(call.signal);
    } catch (error) {
      if (error instanceof ProviderError) {
        isUnused = error.reason === 'breaker_open';
        if (error.kind === 'rate_limited') limiter.pause(connectionId, error.retryAfterMs ?? PAUSE_MS);
      }
      throw error;
    } finally {
      admission.leave(isUnused);
    }
  };
}

function sentAway(
  call: ProviderCall,
  { reason, retryAfterMs }: Extract<Admission, { isAdmitted: false }>,
): ProviderError {
  const kind: ProviderErrorFacts['kind'] = reason === 'aborted' ? 'transient' : 'rate_limited';
  return new ProviderError({
    kind,
    calendarProvider: call.calendarProvider,
    operation: call.operation,
    status: null,
    reason,
    retryAfterMs,
    requestId: null,
    outcomeUnknown: false,
  });
}
