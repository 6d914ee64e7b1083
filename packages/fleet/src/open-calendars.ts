/**
 * How a process opens calendars: the adapters it was given, with the policies around each call. From the call outwards:
 * timeout, metrics, breaker, one repeat after a refused token, the connection's turn in the shared budget.
 */
import type { Database } from '@bookiji/db';
import type { Metrics } from '@bookiji/observability';
import type { CalendarAdapter, CalendarPort, CalendarProvider, OAuthPort } from '@bookiji/providers/contract';
import {
  type BreakerState,
  createBreaker,
  createCallBudget,
  type Policy,
  withMetrics,
  withTimeout,
  withTokenRetry,
  wrapPort,
} from '@bookiji/providers/policies';
import { createTokenSource, type SealingKey } from '@bookiji/sync';

/** Calls per second of one process. Google documents 10,000 a minute per project; Graph far more, per mailbox. */
const CALLS_PER_SECOND: Readonly<Record<CalendarProvider, number>> = { google: 120, microsoft: 120 };
/** Calls of one connection at a time; Graph allows four per mailbox, over all of the app's processes. */
const CALLS_PER_CONNECTION = 2;
const BREAKER_VALUES: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };

/** One calendar provider as a process uses it; see the list in `@bookiji/providers/adapters`. */
export interface ProviderEdge {
  readonly adapter: CalendarAdapter;
  readonly oauth: OAuthPort;
}

export interface CalendarOpenerOptions {
  readonly edges: Readonly<Record<CalendarProvider, ProviderEdge>>;
  readonly db: Database;
  readonly keys: readonly SealingKey[];
  readonly metrics: Metrics;
  readonly timeoutMs: number;
}

export interface OpenableConnection {
  readonly id: string;
  readonly calendarProvider: CalendarProvider;
  readonly externalCalendarId: string;
}

export type CalendarOpener = (connection: OpenableConnection) => CalendarPort;

export function createCalendarOpener(options: CalendarOpenerOptions): CalendarOpener {
  const shared = {
    google: createSharedPolicies('google', options),
    microsoft: createSharedPolicies('microsoft', options),
  };
  return ({ id, calendarProvider, externalCalendarId }) => {
    const { adapter, oauth } = options.edges[calendarProvider];
    const { inner, budget } = shared[calendarProvider];
    const tokens = createTokenSource({ db: options.db, keys: options.keys, oauth, connectionId: id });
    const port = adapter.open({ connectionId: id, calendarId: externalCalendarId, tokens });
    return [...inner, withTokenRetry(tokens), budget(id)].reduce<CalendarPort>(wrapPort, port);
  };
}

function createSharedPolicies(
  calendarProvider: CalendarProvider,
  { metrics, timeoutMs }: CalendarOpenerOptions,
): { inner: readonly Policy[]; budget: (connectionId: string) => Policy } {
  const count = withMetrics(calendarProvider, ({ operation, outcome, durationSeconds, unknownReason }) => {
    metrics.providerRequests.inc({ calendar_provider: calendarProvider, operation, outcome });
    metrics.providerDuration.observe({ calendar_provider: calendarProvider, operation }, durationSeconds);
    if (unknownReason !== null)
      metrics.unknownAnswers.inc({ calendar_provider: calendarProvider, reason: unknownReason });
  });
  const breaker = createBreaker({
    calendarProvider,
    onState: (state) => metrics.breakerState.set({ calendar_provider: calendarProvider }, BREAKER_VALUES[state]),
  });
  return {
    inner: [withTimeout(calendarProvider, timeoutMs), count, breaker],
    budget: createCallBudget({
      calendarProvider,
      callsPerSecond: CALLS_PER_SECOND[calendarProvider],
      perConnection: CALLS_PER_CONNECTION,
    }),
  };
}
