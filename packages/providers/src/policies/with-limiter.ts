import { ownError, ProviderError } from '../contract/index.ts';
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
 * Lets each request of one connection wait for its turn. One that cannot have it is `rate_limited` with a time to come
 * back, which spends no attempt; so is everything of a connection that the provider itself has just sent away. A limit
 * without a status is not the provider's: the request found no slot of its mailbox and went nowhere.
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
        const isOurs = error.kind === 'rate_limited' && error.status === null;
        if (error.kind === 'rate_limited' && !isOurs) limiter.pause(connectionId, error.retryAfterMs ?? PAUSE_MS);
        isUnused = isOurs;
      }
      throw error;
    } finally {
      admission.release(isUnused);
    }
  };
}

function sentAway(
  call: ProviderCall,
  { reason, retryAfterMs }: Extract<Admission, { isAdmitted: false }>,
): ProviderError {
  return ownError({
    kind: reason === 'aborted' ? 'transient' : 'rate_limited',
    calendarProvider: call.calendarProvider,
    operation: call.operation,
    reason,
    retryAfterMs,
  });
}
