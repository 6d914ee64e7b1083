/**
 * How often one caller may ask. Notifications take no part in this: to prove one costs less than to count it, and one
 * that is proven is never turned away. What is right is looked at first everywhere, so that guessing slows down whoever
 * guesses, and nobody behind the same address.
 */
import { networkOf, takeTurn } from '@bookiji/runtime';
import type { Request, Response } from 'express';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { type RequestRefusal, sendError } from './errors.ts';

export interface RateLimits {
  /** Counts a request under the token at this place of the list; seconds to wait, 0 when it may go on. */
  takeRequest(token: number): Promise<number>;
  /** Counts something wrong from this address; seconds until it may be wrong again. */
  takeRefusal(address: string): Promise<number>;
}

const MINUTE_SECONDS = 60;
const REFUSALS_PER_MINUTE = 300;

/** @param requestsPerMinute of one token in this process. */
export function createRateLimits(requestsPerMinute: number, refusalsPerMinute = REFUSALS_PER_MINUTE): RateLimits {
  const requests = new RateLimiterMemory({ points: requestsPerMinute, duration: MINUTE_SECONDS });
  const refusals = new RateLimiterMemory({ points: refusalsPerMinute, duration: MINUTE_SECONDS });
  return {
    takeRequest: (token) => takeTurn(requests, String(token)),
    takeRefusal: (address) => takeTurn(refusals, networkOf(address)),
  };
}

/** Says no to a caller who shows nothing right; too often, and it is told to wait. */
export async function refuse(
  limits: RateLimits,
  { request, response }: { readonly request: Request; readonly response: Response },
  { status, code, message }: RequestRefusal,
): Promise<void> {
  const wait = await limits.takeRefusal(request.socket.remoteAddress ?? '');
  if (wait > 0) return askToWait(response, wait);
  sendError(response, status, code, message);
}

export function askToWait(response: Response, seconds: number): void {
  response.setHeader('retry-after', String(seconds));
  sendError(response, 429, 'too_many_requests', `too many requests; try again in ${seconds} seconds`);
}
