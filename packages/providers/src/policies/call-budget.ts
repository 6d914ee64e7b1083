import { type CalendarProvider, ProviderError } from '../contract/index.ts';
import type { Policy } from './wrap-port.ts';

export interface BudgetOptions {
  readonly calendarProvider: CalendarProvider;
  /** Calls of this process per second, over all connections; below the provider's documented quota. */
  readonly callsPerSecond: number;
  /** Calls of one connection at a time. */
  readonly perConnection: number;
  /** A call that would wait longer than this is sent away as `rate_limited`, milliseconds (5000). */
  readonly waitAtMostMs?: number;
}

interface Waiting {
  readonly start: () => void;
}

/**
 * Shares one provider's budget fairly: connections take turns, so that one large calendar cannot starve the others, and
 * none has more than its few calls in flight. Waiting ends when the caller's signal aborts.
 *
 * @returns a policy for each connection.
 */
export function createCallBudget(options: BudgetOptions): (connectionId: string) => Policy {
  const { calendarProvider, callsPerSecond, perConnection, waitAtMostMs = 5_000 } = options;
  const queues = new Map<string, Waiting[]>();
  const inFlight = new Map<string, number>();
  const burst = Math.max(1, callsPerSecond);
  let tokens = burst;
  let refilledAt = performance.now();
  let timer: NodeJS.Timeout | undefined;

  const refill = () => {
    const now = performance.now();
    tokens = Math.min(burst, tokens + ((now - refilledAt) / 1000) * callsPerSecond);
    refilledAt = now;
  };

  /** Starts whoever may start: one call per connection and round, until tokens or takers run out. */
  const pump = () => {
    refill();
    for (let started = true; started && tokens >= 1; ) {
      started = false;
      for (const [connectionId, waiting] of queues) {
        if (tokens < 1) break;
        if ((inFlight.get(connectionId) ?? 0) >= perConnection) continue;
        const next = waiting.shift();
        // Moved to the end: the next round begins with somebody else.
        queues.delete(connectionId);
        if (waiting.length > 0) queues.set(connectionId, waiting);
        if (next === undefined) continue;
        tokens -= 1;
        inFlight.set(connectionId, (inFlight.get(connectionId) ?? 0) + 1);
        next.start();
        started = true;
      }
    }
    if (queues.size > 0 && tokens < 1 && timer === undefined) {
      timer = setTimeout(
        () => {
          timer = undefined;
          pump();
        },
        Math.ceil(1000 / callsPerSecond),
      );
      timer.unref();
    }
  };

  const leave = (connectionId: string) => {
    const left = (inFlight.get(connectionId) ?? 1) - 1;
    if (left > 0) inFlight.set(connectionId, left);
    else inFlight.delete(connectionId);
    pump();
  };

  const enter = (connectionId: string, signal: AbortSignal, refuse: () => Error) =>
    new Promise<void>((resolve, reject) => {
      const waiting = queues.get(connectionId) ?? [];
      const entry: Waiting = {
        start: () => {
          stopWaiting();
          resolve();
        },
      };
      const giveUp = (error: unknown) => {
        stopWaiting();
        const position = waiting.indexOf(entry);
        if (position >= 0) waiting.splice(position, 1);
        reject(error);
      };
      const onAbort = () => giveUp(signal.reason);
      const expiry = setTimeout(() => giveUp(refuse()), waitAtMostMs);
      const stopWaiting = () => {
        clearTimeout(expiry);
        signal.removeEventListener('abort', onAbort);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      waiting.push(entry);
      queues.set(connectionId, waiting);
      pump();
    });

  return (connectionId) =>
    async ({ operation, signal }, next) => {
      signal.throwIfAborted();
      await enter(
        connectionId,
        signal,
        () =>
          new ProviderError({
            kind: 'rate_limited',
            calendarProvider,
            operation,
            status: null,
            reason: 'own_budget',
            retryAfterMs: waitAtMostMs,
            requestId: null,
            outcomeUnknown: false,
          }),
      );
      try {
        return await next(signal);
      } finally {
        leave(connectionId);
      }
    };
}
