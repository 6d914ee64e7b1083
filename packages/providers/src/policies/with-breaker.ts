import CircuitBreaker from 'opossum';
import { type CalendarProvider, ProviderError } from '../contract/index.ts';
import type { Policy } from './wrap-port.ts';

export type BreakerState = 'closed' | 'half_open' | 'open';

export interface BreakerOptions {
  readonly calendarProvider: CalendarProvider;
  /** How long it stays open before one probe is let through, milliseconds (15000). */
  readonly resetMs?: number;
  /** Share of failed calls, in percent, from which it opens (50), once `volume` (10) calls were made within 10 s. */
  readonly thresholdPercent?: number;
  readonly volume?: number;
  readonly onState: (state: BreakerState) => void;
}

/**
 * A breaker in front of one calendar provider; one per provider and process, shared by all its ports. Only `transient`
 * counts: a refusal, a conflict or a limit says nothing about the provider's health.
 */
export function createBreaker(options: BreakerOptions): Policy {
  const { calendarProvider, resetMs = 15_000, onState } = options;
  type Thunk = () => Promise<unknown>;
  const breaker = new CircuitBreaker<[Thunk], unknown>((send) => send(), {
    timeout: false,
    resetTimeout: resetMs,
    errorThresholdPercentage: options.thresholdPercent ?? 50,
    volumeThreshold: options.volume ?? 10,
    rollingCountTimeout: 10_000,
    rollingCountBuckets: 10,
    errorFilter: (error: unknown) => !isUnhealthy(error),
  });
  let openedAt = 0;
  breaker.on('open', () => {
    openedAt = performance.now();
    onState('open');
  });
  breaker.on('halfOpen', () => onState('half_open'));
  breaker.on('close', () => onState('closed'));
  onState('closed');

  return async ({ operation, signal }, next) => {
    try {
      return (await breaker.fire(() => next(signal))) as never;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EOPENBREAKER') throw error;
      throw new ProviderError({
        kind: 'transient',
        calendarProvider,
        operation,
        status: null,
        reason: 'breaker_open',
        retryAfterMs: Math.max(1_000, Math.round(resetMs - (performance.now() - openedAt))),
        requestId: null,
        outcomeUnknown: false,
      });
    }
  };
}

function isUnhealthy(error: unknown): boolean {
  return error instanceof ProviderError && error.kind === 'transient' && error.reason !== 'aborted';
}
