/**
 * How a process opens calendars: the adapters it was given, with the policies around each call. From the provider
 * outwards: timeout, metrics, one repeat after a refused token, breaker, the connection's turn in the shared budget.
 */
import type { Database } from '@bookiji/db';
import type { Metrics } from '@bookiji/observability';
import type { CalendarAdapter, CalendarPort, CalendarProvider, OAuthPort } from '@bookiji/providers/contract';
import {
  BREAKER_STATE_VALUES,
  type CallReport,
  composeOAuth,
  composePort,
  createBreaker,
  createLimiter,
  type Policy,
  withBreaker,
  withLimiter,
  withMetrics,
  withTimeout,
  withTokenRetry,
} from '@bookiji/providers/policies';
import { createTokenSource, type SealingKey } from '@bookiji/sync';

/** Of one process. Google documents 10,000 a minute per project; Graph far more, per mailbox. */
const REQUESTS_PER_MINUTE = 6_000;
/** Of one connection; Google documents 600 a minute per user, Graph 1,000. */
const CONNECTION_REQUESTS_PER_MINUTE = 500;
/** Of one connection in this process; Graph allows four per mailbox over all of the app's processes. */
const CALLS_PER_CONNECTION = 1;

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
  /** How long an open breaker turns calls away before it lets one through (30 s). */
  readonly breakerResetMs?: number;
}

export interface OpenableConnection {
  readonly id: string;
  readonly calendarProvider: CalendarProvider;
  readonly externalCalendarId: string;
}

export type CalendarOpener = (connection: OpenableConnection) => CalendarPort;

export function createCalendarOpener(options: CalendarOpenerOptions): CalendarOpener {
  const shared = { google: createShared('google', options), microsoft: createShared('microsoft', options) };
  return ({ id, calendarProvider, externalCalendarId }) => {
    const { oauth, around } = shared[calendarProvider];
    const tokens = createTokenSource({ db: options.db, keys: options.keys, oauth, connectionId: id });
    const port = options.edges[calendarProvider].adapter.open({
      connectionId: id,
      calendarId: externalCalendarId,
      tokens,
    });
    return composePort(port, ...around(id));
  };
}

/** What all connections of one calendar provider share in this process: its breaker, its budget, its OAuth. */
function createShared(
  calendarProvider: CalendarProvider,
  { edges, metrics, timeoutMs, breakerResetMs }: CalendarOpenerOptions,
): { oauth: OAuthPort; around: (connectionId: string) => readonly Policy[] } {
  const count = withMetrics((call) => countCall(metrics, call));
  const timeout = withTimeout(timeoutMs);
  const breaker = createBreaker({
    calendarProvider,
    ...(breakerResetMs === undefined ? {} : { resetMs: breakerResetMs }),
    onStateChange: (state) =>
      metrics.breakerState.set({ calendar_provider: calendarProvider }, BREAKER_STATE_VALUES[state]),
  });
  metrics.breakerState.set({ calendar_provider: calendarProvider }, BREAKER_STATE_VALUES.closed);
  const limiter = createLimiter({
    requestsPerMinute: REQUESTS_PER_MINUTE,
    connectionRequestsPerMinute: CONNECTION_REQUESTS_PER_MINUTE,
    callsPerConnection: CALLS_PER_CONNECTION,
  });
  return {
    oauth: composeOAuth(edges[calendarProvider].oauth, timeout, count),
    around: (connectionId) => [
      timeout,
      count,
      withTokenRetry(),
      withBreaker(breaker),
      withLimiter(limiter, { connectionId }),
    ],
  };
}

function countCall(
  metrics: Metrics,
  { calendarProvider, operation, outcome, reason, isUnknown, durationSeconds }: CallReport,
) {
  metrics.providerRequests.inc({ calendar_provider: calendarProvider, operation, outcome });
  metrics.providerDuration.observe({ calendar_provider: calendarProvider, operation }, durationSeconds);
  if (isUnknown && reason !== null) metrics.unknownAnswers.inc({ calendar_provider: calendarProvider, reason });
}
