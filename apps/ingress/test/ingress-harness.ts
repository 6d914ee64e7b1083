/** The real ingress for one test file: own database, own queues, a real HTTP server on a free port, a sandbox on demand. */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { openDatabase, recordDeliveries } from '@bookiji/db';
import { createFlagBoard, FLAG_NAMES, type FlagEnvironment, readFlagCeiling } from '@bookiji/flags';
import { createLogger, createMetrics, type Metrics } from '@bookiji/observability';
import { createProviderEdges } from '@bookiji/providers/adapters';
import { openQueues, type QueueSystem, ringInboundSyncs } from '@bookiji/queues';
import { asRole, createTestDatabase, keepLogLine, type TestDatabase } from '@bookiji/testing';
import type { Express } from 'express';
import { createIngress } from '../src/app.ts';
import { createIntake } from '../src/intake.ts';
import { openIntakeSessions } from '../src/intake-session.ts';
import { createRateLimits, type RateLimits } from '../src/rate-limits.ts';
import { createIngressServer, type ServerLimits } from '../src/server.ts';
import { shapesOf } from '../src/shapes.ts';
import { type HttpAnswer, type HttpAsk, sendRequest } from './http-client.ts';

export const API_TOKEN = 'api-token-of-the-booking-service';
export const CHANNEL_SECRETS = ['the newest channel secret', 'the channel secret before'];
export const SEALING_KEYS = [{ id: 'k1', key: Buffer.alloc(32, 7) }];
const NOWHERE = 'http://127.0.0.1:9';

export interface IngressOptions {
  /** All four flags are on unless said otherwise; lists as in the environment. */
  readonly flags?: FlagEnvironment;
  readonly signingSecrets?: { readonly google?: readonly string[]; readonly microsoft?: readonly string[] };
  readonly channelSecrets?: readonly string[];
  readonly redisUrl?: string;
  readonly sandboxUrl?: string;
  readonly publicBaseUrl?: string;
  readonly limits?: ServerLimits;
  readonly rateLimits?: RateLimits;
  /** Another process on the same database. */
  readonly shares?: TestDatabase;
  /** Another way to the same database. */
  readonly route?: (url: string) => string;
  readonly now?: () => Date;
}

export interface TestIngress {
  readonly url: string;
  readonly port: number;
  readonly app: Express;
  readonly database: TestDatabase;
  readonly queues: QueueSystem;
  readonly metrics: Metrics;
  /** Everything that was logged, as written. */
  readonly lines: readonly string[];
  send(method: string, path: string, ask?: HttpAsk): Promise<HttpAnswer>;
  /** With the booking service's token, JSON both ways. */
  call(method: string, path: string, body?: unknown): Promise<HttpAnswer>;
  /** Of `calendar_webhooks_total`, by outcome; those at zero are left out. */
  outcomes(calendarProvider: 'google' | 'microsoft'): Promise<Record<string, number>>;
  /** Every row of every table, as text: equal means that nothing was written. */
  snapshot(): Promise<string>;
  close(): Promise<void>;
}

export async function startIngress(options: IngressOptions = {}): Promise<TestIngress> {
  const database = options.shares ?? (await createTestDatabase());
  const { route = (url: string) => url } = options;
  // As in production: everything that is tested here works without the right to read a token.
  const ingressUrl = route(asRole(database.url, 'calsync_ingress'));
  const handle = openDatabase(ingressUrl, { applicationName: 'ingress', max: 10 });
  const lines: string[] = [];
  const keep = (line: string) => {
    lines.push(line);
    keepLogLine(line);
  };
  const logger = createLogger({ role: 'ingress', level: 'debug', destination: { write: keep } });
  const metrics = createMetrics('ingress');
  const prefix = `{test-${randomUUID().slice(0, 8)}}`;
  const { redisUrl } = options;
  const queues = openQueues(
    redisUrl === undefined
      ? { kind: 'postgres', url: ingressUrl, prefix, isPrepared: true }
      : { kind: 'redis', url: redisUrl, prefix },
    () => undefined,
  );
  const on = Object.fromEntries(FLAG_NAMES.map((name) => [name, 'true']));
  const flags = createFlagBoard({ ceiling: readFlagCeiling({ ...on, ...options.flags }), db: handle.db });
  await flags.start();
  const edges = createProviderEdges(providerSettings(options.sandboxUrl ?? NOWHERE));
  const sessions = await openIntakeSessions(ingressUrl);
  const intake = createIntake({
    sessions: sessions.all.map(
      ({ db }) =>
        (batch) =>
          recordDeliveries(db, batch, flags.allowlists),
    ),
    ring: (connectionIds) => ringInboundSyncs(queues, connectionIds),
    onRingLost: () => metrics.ringsLost.inc(),
  });
  let publicBaseUrl = options.publicBaseUrl ?? '';
  const app = createIngress({
    db: handle.db,
    flags,
    queues,
    intake,
    metrics,
    logger,
    readiness: [{ name: 'database', check: () => handle.ping() }],
    oauth: { google: edges.google.oauth, microsoft: edges.microsoft.oauth },
    keys: SEALING_KEYS,
    channelSecrets: options.channelSecrets ?? CHANNEL_SECRETS,
    apiTokens: [API_TOKEN, 'another-api-token'],
    limits: options.rateLimits ?? createRateLimits(1_000_000, 1_000_000),
    get publicBaseUrl() {
      return publicBaseUrl;
    },
    signingSecrets: {
      google: options.signingSecrets?.google ?? null,
      microsoft: options.signingSecrets?.microsoft ?? null,
    },
    defaultMaxAgeSeconds: 900,
    now: options.now ?? (() => new Date()),
  });
  const server = createIngressServer(app, (reason) => logger.warn({ reason }, 'request refused'), {
    limits: options.limits,
    shapes: shapesOf(app),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  if (publicBaseUrl === '') publicBaseUrl = url;
  const send = (method: string, path: string, ask: HttpAsk = {}) => sendRequest(`${url}${path}`, method, ask);

  return {
    url,
    port,
    app,
    database,
    queues,
    metrics,
    lines,
    send,
    call: (method, path, body) =>
      send(method, path, {
        headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    async outcomes(calendarProvider) {
      const { values } = await metrics.webhooks.get();
      const ours = values.filter(({ labels, value }) => labels.calendar_provider === calendarProvider && value > 0);
      return Object.fromEntries(ours.map(({ labels, value }) => [String(labels.outcome), value]));
    },
    snapshot: () => takeSnapshot(database),
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await intake.drain();
      flags.stop();
      await queues.close();
      await sessions.close();
      await handle.close();
      if (options.shares === undefined) await database.drop();
    },
  };
}

async function takeSnapshot({ sql }: TestDatabase): Promise<string> {
  const tables = await sql`SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`;
  const parts = await Promise.all(
    tables.map(async ({ tablename }) => {
      const rows = await sql.unsafe(`SELECT t::text AS row FROM "${tablename}" t ORDER BY 1`);
      return `${tablename}\n${rows.map(({ row }) => row).join('\n')}`;
    }),
  );
  return parts.join('\n\n');
}

export function providerSettings(at: string) {
  return {
    GOOGLE_CLIENT_ID: 'bookiji',
    GOOGLE_CLIENT_SECRET: 'google-client-secret',
    GOOGLE_API_BASE_URL: at,
    GOOGLE_AUTHORIZE_URL: `${at}/o/oauth2/v2/auth`,
    GOOGLE_TOKEN_URL: `${at}/token`,
    GOOGLE_REVOKE_URL: `${at}/revoke`,
    MICROSOFT_CLIENT_ID: 'bookiji',
    MICROSOFT_CLIENT_SECRET: 'microsoft-client-secret',
    MICROSOFT_TENANT: 'common',
    MICROSOFT_GRAPH_BASE_URL: at,
    MICROSOFT_LOGIN_BASE_URL: at,
  };
}
