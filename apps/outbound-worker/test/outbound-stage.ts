/** The outbound path of one worker for one test file: real database, real HTTP to a sandbox, a clock that can be moved. */
import { randomUUID } from 'node:crypto';
import { acceptBookingIntent, findDueEffects, openDatabase } from '@bookiji/db';
import type { FlagBoard } from '@bookiji/flags';
import { createCalendarOpener } from '@bookiji/fleet';
import { createMetrics, type Metrics } from '@bookiji/observability';
import { createProviderEdges } from '@bookiji/providers/adapters';
import type { QueueSystem } from '@bookiji/queues';
import { createSandbox } from '@bookiji/sandbox';
import { type BackoffSettings, sealToken } from '@bookiji/sync';
import {
  type BuiltConnection,
  createTestDatabase,
  insertConnection,
  moveClock,
  type TestDatabase,
} from '@bookiji/testing';
import { createOutboundSyncProcessor, type OutboundSyncResult } from '../src/process-outbound-sync.ts';

export type CalendarProvider = 'google' | 'microsoft';
const KEYS = [{ id: 'k1', key: Buffer.alloc(32, 7) }];
const CONCURRENCY = 20;
const never = new AbortController().signal;

export interface Looked {
  readonly calendarProvider: CalendarProvider;
  readonly connectionId: string;
  readonly result: OutboundSyncResult;
  /** Version accepted → calendar written, milliseconds; null when it was not written. */
  readonly lagMs: number | null;
}

export interface OutboundStage {
  readonly database: TestDatabase;
  readonly metrics: Metrics;
  connect(calendarProvider: CalendarProvider): Promise<BuiltConnection>;
  /** A new version of a booking; a new booking without an id. */
  book(connection: BuiltConnection, bookingId?: string): Promise<string>;
  /** One sweep, and all that it found worked off by twenty at a time. */
  work(): Promise<Looked[]>;
  /** The database's clock, from now on ahead of the real one by so much more. */
  pass(seconds: number): Promise<void>;
  order<Body>(method: string, path: string, body?: unknown): Promise<Body>;
  /** When requests about events came in at the sandbox, milliseconds, by provider. */
  requestTimes(calendarProvider: CalendarProvider): Promise<number[]>;
  close(): Promise<void>;
}

export async function startOutboundStage(options: {
  readonly backoff: BackoffSettings;
  readonly breakerResetMs: number;
  readonly requestsPerMinute?: number;
}): Promise<OutboundStage> {
  const database = await createTestDatabase();
  let aheadSeconds = 0;
  // Before the first connection, so that all of them follow the moved clock.
  await moveClock(database.url, aheadSeconds);
  const handle = openDatabase(database.url, { applicationName: 'outbound', max: CONCURRENCY + 5 });
  const sandbox = createSandbox({
    settings: {
      google: { user_requests_per_minute: null, project_requests_per_minute: null, latency_ms: 5 },
      microsoft: { mailbox_requests_per_10_minutes: null, latency_ms: 5 },
    },
  });
  const { url } = await sandbox.listen();
  const metrics = createMetrics('outbound-worker');
  const order = async <Body>(method: string, path: string, body?: unknown): Promise<Body> => {
    const given = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${url}/sandbox${path}`, { method, ...given });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status} ${text}`);
    return (text === '' ? null : JSON.parse(text)) as Body;
  };
  const connections = new Map<string, BuiltConnection>();
  let looked: Looked[] = [];
  const { breakerResetMs, requestsPerMinute = 9_000 } = options;
  const openCalendar = createCalendarOpener({
    edges: createProviderEdges(providerSettings(url)),
    db: handle.db,
    keys: KEYS,
    metrics,
    timeoutMs: 8_000,
    breakerResetMs,
    requestsPerMinute,
  });
  const converge = createOutboundSyncProcessor({
    converge: {
      db: handle.db,
      openCalendar,
      owner: 'test',
      backoff: options.backoff,
      leaseMs: 20_000,
      random: Math.random,
    },
    flags: openFlags,
    queues: {} as QueueSystem,
    findSubject: async (id) => connections.get(id) ?? null,
    tryAcquire: openCalendar.tryAcquire,
    isCalm: openCalendar.isCalm,
    publishChanges: async () => undefined,
    report: ({ connectionId }, result) => {
      const { calendarProvider } = connections.get(connectionId) as BuiltConnection;
      const lagMs = result.outcome === 'converged' ? result.bookingLagSeconds * 1_000 : null;
      looked.push({ calendarProvider, connectionId, result, lagMs });
    },
    onRingLost: () => undefined,
  });

  return {
    database,
    metrics,
    order,
    async connect(calendarProvider) {
      const connection = await insertConnection(database.sql, { calendarProvider });
      const grant = await order<{ access_token: string; refresh_token: string }>('POST', '/grants', {
        calendar_provider: calendarProvider,
        email: `${connection.id}@${calendarProvider}.example`,
        client_id: 'app',
      });
      const seal = (field: 'access_token' | 'refresh_token') =>
        sealToken(grant[field], { connectionId: connection.id, field }, KEYS);
      await database.sql`
        UPDATE external_calendar_connections
           SET access_token_sealed = ${seal('access_token')}, refresh_token_sealed = ${seal('refresh_token')},
               access_token_expires_at = now() + interval '30 days'
         WHERE id = ${connection.id}`;
      connections.set(connection.id, connection);
      return connection;
    },
    async book(connection, bookingId = randomUUID()) {
      const [known] = await database.sql`SELECT version::int FROM booking_intents WHERE booking_id = ${bookingId}`;
      const version = (known?.version ?? 0) + 1;
      const startAt = new Date(Date.UTC(2027, 0, 4, 8 + (version % 10)));
      await acceptBookingIntent(handle.db, {
        eventId: randomUUID(),
        bookingId,
        providerId: connection.providerId,
        version,
        state: 'live',
        startAt,
        endAt: new Date(startAt.getTime() + 3_600_000),
        details: { title: bookingId, time_zone: 'UTC' },
      });
      return bookingId;
    },
    async work() {
      looked = [];
      const due = await findDueEffects(handle.db, { providerIds: null, connectionIds: null }, 1_000);
      const next = due.values();
      const worker = async () => {
        for (const { bookingId, connectionId } of next) {
          await converge({ booking_id: bookingId, connection_id: connectionId }, never);
        }
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, worker));
      return looked;
    },
    async pass(seconds) {
      aheadSeconds += seconds;
      await moveClock(database.url, aheadSeconds);
    },
    async requestTimes(calendarProvider) {
      type Requests = { recent: { at: string; calendar_provider: string; operation: string }[] };
      const { recent } = await order<Requests>('GET', '/requests?recent=2000');
      return recent
        .filter((note) => note.calendar_provider === calendarProvider && note.operation.startsWith('events.'))
        .map(({ at }) => Date.parse(at));
    },
    async close() {
      await handle.close();
      await sandbox.close();
      await database.drop();
    },
  };
}

const openFlags = {
  isOn: () => true,
  isSwitchOn: () => true,
  isShadowing: () => false,
  allows: () => true,
  allowlists: { providerIds: null, connectionIds: null },
} as unknown as FlagBoard;

function providerSettings(at: string) {
  return {
    GOOGLE_CLIENT_ID: 'app',
    GOOGLE_CLIENT_SECRET: 'secret',
    GOOGLE_API_BASE_URL: at,
    GOOGLE_AUTHORIZE_URL: `${at}/o/oauth2/v2/auth`,
    GOOGLE_TOKEN_URL: `${at}/token`,
    GOOGLE_REVOKE_URL: `${at}/revoke`,
    MICROSOFT_CLIENT_ID: 'app',
    MICROSOFT_CLIENT_SECRET: 'secret',
    MICROSOFT_TENANT: 'common',
    MICROSOFT_GRAPH_BASE_URL: at,
    MICROSOFT_LOGIN_BASE_URL: at,
  };
}

/** The most of these instants that lie within any one second. */
export function mostInOneSecond(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  let [from, most] = [0, 0];
  for (const [to, time] of sorted.entries()) {
    while (time - (sorted[from] as number) >= 1_000) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}
