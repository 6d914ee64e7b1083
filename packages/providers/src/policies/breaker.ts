import CircuitBreaker from 'opossum';
import { type CalendarProvider, OURS_TO_MEND, ownError, ProviderError } from '../contract/index.ts';
import type { ProviderCall } from './policy.ts';

export type BreakerState = 'closed' | 'half_open' | 'open';

/** As the gauge `calendar_breaker_state` shows them. */
export const BREAKER_STATE_VALUES: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };

export interface BreakerSettings {
  readonly calendarProvider: CalendarProvider;
  /** Open for this long, then one call is let through to see. */
  readonly resetMs: number;
  /** Over how long calls are counted. Default 10 s. */
  readonly windowMs?: number;
  /** With fewer calls than this in the window the breaker stays closed. Default 10. */
  readonly callsAtLeast?: number;
  /** Opens above this share of failures, in percent. Default 50. */
  readonly failurePercent?: number;
  /** Milliseconds; opossum's own timers follow the process's clock. */
  readonly now?: () => number;
  /** Told at once, and with each change. */
  readonly onStateChange?: (state: BreakerState, calendarProvider: CalendarProvider) => void;
}

/** `waitMs` is null while somebody else tries: it may be over in a moment. */
export type BreakerPermission = { readonly mayGo: true } | { readonly mayGo: false; readonly waitMs: number | null };

/**
 * One per calendar provider and process.
 *
 * ```
 * closed ──more than failurePercent of callsAtLeast failed──▶ open ──resetMs──▶ half_open
 *    ▲                                                         ▲                   │
 *    └───────────── the one call let through was answered ─────┼───────────────────┤
 *                                                              └──── it failed ────┘
 * ```
 */
export interface Breaker {
  readonly calendarProvider: CalendarProvider;
  readonly state: BreakerState;
  /**
   * Whether a call would be let through, before anything is prepared for it. While one is let through to see, one asker
   * in a second is told to go on.
   */
  tryAcquire(): BreakerPermission;
  run<T>(call: ProviderCall, task: () => Promise<T>): Promise<T>;
  /** Ends its timers; afterwards every call is turned away. */
  stop(): void;
}

type Task = () => Promise<unknown>;

/** `transient` for reasons of our own: nobody waited for the provider's answer, or it has nothing to do with its health. */
const NOT_THE_PROVIDERS: ReadonlySet<string> = new Set(['aborted', ...OURS_TO_MEND]);

/** While the one call is under way nobody knows when it ends. */
const PROBE_WAIT_MS = 1_000;

export function createBreaker(settings: BreakerSettings): Breaker {
  const { calendarProvider, resetMs, now = Date.now } = settings;
  const circuit: CircuitBreaker<[Task], unknown> = new CircuitBreaker((task: Task) => task(), {
    name: calendarProvider,
    // Time is the timeout policy's.
    timeout: false,
    resetTimeout: resetMs,
    rollingCountTimeout: settings.windowMs ?? 10_000,
    volumeThreshold: settings.callsAtLeast ?? 10,
    errorThresholdPercentage: settings.failurePercent ?? 50,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    errorFilter: (error: unknown) => !isFailure(error, circuit.halfOpen),
  });
  settings.onStateChange?.('closed', calendarProvider);
  let openedAt = 0;
  let probeAskedAt = Number.NEGATIVE_INFINITY;
  circuit.on('open', () => {
    openedAt = now();
    probeAskedAt = Number.NEGATIVE_INFINITY;
    settings.onStateChange?.('open', calendarProvider);
  });
  circuit.on('halfOpen', () => settings.onStateChange?.('half_open', calendarProvider));
  circuit.on('close', () => settings.onStateChange?.('closed', calendarProvider));

  return {
    calendarProvider,
    get state() {
      return stateOf(circuit);
    },
    tryAcquire() {
      if (circuit.closed) return { mayGo: true };
      if (!circuit.halfOpen) return { mayGo: false, waitMs: Math.max(1, openedAt + resetMs - now()) };
      if (!circuit.pendingClose || now() < probeAskedAt + PROBE_WAIT_MS) return { mayGo: false, waitMs: null };
      probeAskedAt = now();
      return { mayGo: true };
    },
    async run<T>(call: ProviderCall, task: () => Promise<T>): Promise<T> {
      try {
        return (await circuit.fire(task)) as T;
      } catch (error) {
        if (!isOurs(error)) throw error;
        throw turnedAway(call, circuit.opened ? Math.max(0, openedAt + resetMs - now()) : PROBE_WAIT_MS);
      }
    },
    stop: () => circuit.shutdown(),
  };
}

function stateOf(circuit: CircuitBreaker): BreakerState {
  if (circuit.halfOpen) return 'half_open';
  return circuit.closed ? 'closed' : 'open';
}

/**
 * Only `transient` says something about the provider's health. A call that its caller gave up says nothing, which is no
 * failure, but no proof of recovery either: as the one call let through it leaves the breaker open.
 */
function isFailure(error: unknown, isProbe: boolean): boolean {
  if (!(error instanceof ProviderError)) return isProbe;
  // As the one call let through, only an answer is proof: one that our own limits kept back, or a client refused, is none.
  if (error.kind !== 'transient') return isProbe && error.status === null;
  // An answer that is one, of an event that makes no sense.
  if (error.status !== null && error.status < 400 && error.reason !== 'unreadable_answer') return false;
  return isProbe || !NOT_THE_PROVIDERS.has(error.reason);
}

function isOurs(error: unknown): boolean {
  return error instanceof Error && CircuitBreaker.isOurError(error);
}

/** Tellable from every other `transient` by its reason: nothing was sent, and no attempt is spent on it. */
function turnedAway(call: ProviderCall, retryAfterMs: number): ProviderError {
  return ownError({
    kind: 'transient',
    calendarProvider: call.calendarProvider,
    operation: call.operation,
    reason: 'breaker_open',
    retryAfterMs: Math.ceil(retryAfterMs),
  });
}
