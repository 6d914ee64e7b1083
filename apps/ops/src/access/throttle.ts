/**
 * How often an address may be wrong. As at ingress, what is right is looked at first: a script with an old token, or somebody
 * who guesses, shuts nobody out who comes through the same proxy. No amount of guessing finds a token that is made as the
 * runbook says; beyond the limit wrong ones are told to wait and are no longer logged one by one.
 */
import { networkOf, takeTurn } from '@bookiji/runtime';
import { RateLimiterMemory } from 'rate-limiter-flexible';

export interface Throttle {
  /** Counts something wrong from this address; seconds until it may be wrong again, 0 when it may now. */
  takeRefusal(address: string): Promise<number>;
}

const MINUTE_SECONDS = 60;

export function createThrottle(refusalsPerMinute = 20): Throttle {
  const refusals = new RateLimiterMemory({ points: refusalsPerMinute, duration: MINUTE_SECONDS });
  return { takeRefusal: (address) => takeTurn(refusals, networkOf(address)) };
}
