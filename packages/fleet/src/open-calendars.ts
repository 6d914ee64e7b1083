/**
 * How a process opens calendars: the adapters it was given, with the policies around them. Around each request, from
 * the provider outwards: timeout, metrics, one of the mailbox's slots (Graph), the connection's turn in the shared
 * budget. Around each call: one repeat after a refused token, breaker.
 */
import { randomUUID } from 'node:crypto';
import {
  type Database,
  type DatabaseHandle,
  releaseMailboxSlot,
  type StoredCredentials,
  takeFromBudget,
  takeMailboxSlot,
} from '@bookiji/db';
import type { Metrics } from '@bookiji/observability';
import type {
  AroundRequest,
  CalendarAdapter,
  CalendarPort,
  CalendarProvider,
  OAuthPort,
} from '@bookiji/providers/contract';
import {
  BREAKER_STATE_VALUES,
  type Breaker,
  type BreakerPermission,
  type CallReport,
  composeOAuth,
  composePort,
  composeRequest,
  createBreaker,
  createLimiter,
  type Lane,
  type Policy,
  type SlotDesk,
  withBreaker,
  withLimiter,
  withMetrics,
  withSlots,
  withTimeout,
  withTokenRetry,
} from '@bookiji/providers/policies';
import { createTokenSource, type SealingKey } from '@bookiji/sync';
import type { Stores } from './open-stores.ts';

/** Of one connection; Google documents 600 a minute per user, Graph 1,000. */
const CONNECTION_REQUESTS_PER_MINUTE = 500;
/** Of one connection in this process. */
const CALLS_PER_CONNECTION = 1;
/** Of one mailbox over all of the app's processes: one less than Graph allows, which frees its own late. */
const SLOTS_PER_MAILBOX = 3;

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
  /** How long an open breaker turns calls away before it lets one through. */
  readonly breakerResetMs: number;
  /**
   * Of the whole fleet at one calendar provider. Google documents 10,000 a minute per project; Graph far more, per
   * mailbox.
   */
  readonly requestsPerMinute: number;
  /** So many requests of one connection wait in this process at most. */
  readonly waitingPerConnection?: number;
}

export interface OpenableConnection {
  readonly id: string;
  readonly calendarProvider: CalendarProvider;
  readonly externalCalendarId: string;
  /** Who asked for what is about to be done; a person does not wait behind the background's work. */
  readonly requestedBy?: string;
}

export interface CalendarOpener {
  /**
   * @param known credentials that were read a moment ago.
   * @param onAnswer called after each request that was answered, of which a call may make many.
   */
  (connection: OpenableConnection, known?: StoredCredentials, onAnswer?: () => void): CalendarPort;
  /** Asks this process's breaker before any work is begun. */
  tryAcquire(calendarProvider: CalendarProvider): BreakerPermission;
  /** Whether this process's breakers are all closed; asking leaves them as they are. */
  isCalm(): boolean;
}

export function createCalendarOpener(options: CalendarOpenerOptions): CalendarOpener {
  const shared = { google: createShared('google', options), microsoft: createShared('microsoft', options) };
  const open: (...given: Parameters<CalendarOpener>) => CalendarPort = (connection, known, onAnswer) => {
    const { id, calendarProvider, externalCalendarId, requestedBy } = connection;
    const { oauth, aroundRequest, around } = shared[calendarProvider];
    const port = options.edges[calendarProvider].adapter.open({
      connectionId: id,
      calendarId: externalCalendarId,
      tokens: createTokenSource({ db: options.db, keys: options.keys, oauth, connectionId: id, known }),
      aroundRequest: aroundRequest(id, laneOf(requestedBy), onAnswer),
    });
    return composePort(port, ...around);
  };
  return Object.assign(open, {
    tryAcquire: (calendarProvider: CalendarProvider) => shared[calendarProvider].breaker.tryAcquire(),
    isCalm: () => Object.values(shared).every(({ breaker }) => breaker.state === 'closed'),
  });
}

/** What a process is told of calendars, by `calendarFields`. */
export interface CalendarSettings {
  readonly TOKEN_ENCRYPTION_KEYS: readonly SealingKey[];
  readonly PROVIDER_TIMEOUT_MS: number;
  readonly PROVIDER_REQUESTS_PER_MINUTE: number;
  readonly BREAKER_RESET_SECONDS: number;
}

/** The opener of a process of the fleet, by its settings. */
export function openCalendarsBy(
  settings: CalendarSettings,
  { database, metrics }: { readonly database: Pick<DatabaseHandle, 'db'>; readonly metrics: Metrics },
  edges: CalendarOpenerOptions['edges'],
  over: Pick<CalendarOpenerOptions, 'waitingPerConnection'> = {},
): CalendarOpener {
  return createCalendarOpener({
    ...over,
    edges,
    db: database.db,
    keys: settings.TOKEN_ENCRYPTION_KEYS,
    metrics,
    timeoutMs: settings.PROVIDER_TIMEOUT_MS,
    requestsPerMinute: settings.PROVIDER_REQUESTS_PER_MINUTE,
    breakerResetMs: settings.BREAKER_RESET_SECONDS * 1_000,
  });
}

/** OAuth of a process that connects or disconnects: limited and counted as its calls to calendars are. */
export function openOAuthBy(
  { PROVIDER_TIMEOUT_MS: timeoutMs }: Pick<CalendarSettings, 'PROVIDER_TIMEOUT_MS'>,
  { metrics }: Pick<Stores, 'metrics'>,
  edges: CalendarOpenerOptions['edges'],
): Readonly<Record<CalendarProvider, OAuthPort>> {
  const options = { edges, metrics, timeoutMs };
  return { google: openOAuth('google', options), microsoft: openOAuth('microsoft', options) };
}

function openOAuth(
  calendarProvider: CalendarProvider,
  { edges, metrics, timeoutMs }: Pick<CalendarOpenerOptions, 'edges' | 'metrics' | 'timeoutMs'>,
): OAuthPort {
  const count = withMetrics((call) => countCall(metrics, call));
  return composeOAuth(edges[calendarProvider].oauth, withTimeout(timeoutMs), count);
}

interface SharedByConnections {
  readonly oauth: OAuthPort;
  readonly breaker: Breaker;
  readonly aroundRequest: (connectionId: string, lane: Lane, onAnswer?: () => void) => AroundRequest;
  /** Around each call, from the provider outwards. */
  readonly around: readonly Policy[];
}

/** What all connections of one calendar provider share in this process: its breaker, its budget, its OAuth. */
function createShared(calendarProvider: CalendarProvider, options: CalendarOpenerOptions): SharedByConnections {
  const { metrics, timeoutMs, requestsPerMinute } = options;
  const count = withMetrics((call) => countCall(metrics, call));
  const timeout = withTimeout(timeoutMs);
  const perSecond = requestsPerMinute / 60;
  const limiter = createLimiter({
    requestsPerMinute,
    sharedBudget: {
      perSecond,
      take: (wanted) => takeFromBudget(options.db, { calendarProvider, wanted, perSecond }),
    },
    connectionRequestsPerMinute: CONNECTION_REQUESTS_PER_MINUTE,
    callsPerConnection: CALLS_PER_CONNECTION,
    ...(options.waitingPerConnection === undefined ? {} : { waitingPerConnection: options.waitingPerConnection }),
  });
  const breaker = createWatchedBreaker(calendarProvider, options);
  const slots = calendarProvider === 'microsoft' ? createSlotDesk(options.db, timeoutMs) : null;
  return {
    breaker,
    oauth: openOAuth(calendarProvider, options),
    aroundRequest: (connectionId, lane, onAnswer) => {
      const held = slots === null ? [] : [withSlots(slots, { connectionId })];
      const told = onAnswer === undefined ? [] : [withNotice(onAnswer)];
      const turn = withLimiter(limiter, { connectionId, lane });
      return composeRequest(calendarProvider, timeout, count, ...told, ...held, turn);
    },
    around: [withTokenRetry(), withBreaker(breaker)],
  };
}

function withNotice(onAnswer: () => void): Policy {
  return async (call, next) => {
    const answer = await next(call.signal);
    onAnswer();
    return answer;
  };
}

function createWatchedBreaker(calendarProvider: CalendarProvider, { metrics, breakerResetMs }: CalendarOpenerOptions) {
  const show = (state: keyof typeof BREAKER_STATE_VALUES) =>
    metrics.breakerState.set({ calendar_provider: calendarProvider }, BREAKER_STATE_VALUES[state]);
  show('closed');
  return createBreaker({ calendarProvider, resetMs: breakerResetMs, onStateChange: show });
}

/** A slot outlasts the one request it is taken for. */
function createSlotDesk(db: Database, timeoutMs: number): SlotDesk {
  return {
    async take(connectionId) {
      const wish = { connectionId, holder: randomUUID(), slots: SLOTS_PER_MAILBOX, leaseMs: timeoutMs + 2_000 };
      const slot = await takeMailboxSlot(db, wish);
      return slot === null ? null : () => releaseMailboxSlot(db, slot);
    },
  };
}

/** Somebody waits for what these ask for. */
const INTERACTIVE: ReadonlySet<string | undefined> = new Set(['manual', 'availability', 'connect']);

function laneOf(requestedBy: string | undefined): Lane {
  return INTERACTIVE.has(requestedBy) ? 'interactive' : 'background';
}

function countCall(
  metrics: Metrics,
  { calendarProvider, operation, outcome, reason, isUnknown, durationSeconds }: CallReport,
) {
  metrics.providerRequests.inc({ calendar_provider: calendarProvider, operation, outcome });
  metrics.providerDuration.observe({ calendar_provider: calendarProvider, operation }, durationSeconds);
  if (isUnknown && reason !== null) metrics.unknownAnswers.inc({ calendar_provider: calendarProvider, reason });
}
