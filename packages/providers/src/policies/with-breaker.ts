import type { Breaker } from './breaker.ts';
import type { Policy } from './policy.ts';

/** Turns calls away while `breaker` is open, with `transient`/`breaker_open` and the time until it may be tried again. */
export function withBreaker(breaker: Breaker): Policy {
  return (call, next) => breaker.run(call, () => next(call.signal));
}
