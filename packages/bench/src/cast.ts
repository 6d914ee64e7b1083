/** What most benchmarks need: a database, a sandbox and an ingress of their own, and calendars connected over HTTP. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CalendarProvider,
  createIngressClient,
  createSandboxClient,
  type IngressClient,
  localEnvironment,
  type Role,
  type SandboxCalendar,
  type SandboxClient,
  waitUntil,
} from '@bookiji/local-fleet';
import { type Environment, findFreePort } from '@bookiji/runtime';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import type { Stage } from './figures.ts';
import { type RunningProcess, startRole } from './run-process.ts';

const PORTS: Readonly<Record<Role, string>> = {
  ingress: 'INGRESS_PORT',
  ops: 'OPS_PORT',
  sandbox: 'SANDBOX_PORT',
  'inbound-worker': 'INBOUND_WORKER_PORT',
  'outbound-worker': 'OUTBOUND_WORKER_PORT',
  'retry-worker': 'RETRY_WORKER_PORT',
};

/** Often enough to wait for, seldom enough not to be what the fleet waits for. */
const LOOK_AGAIN_MS = 50;

const NO_QUOTAS = {
  google: { user_requests_per_minute: null, project_requests_per_minute: null },
  microsoft: { mailbox_concurrency: null },
};

export interface ConnectedCalendar extends SandboxCalendar {
  readonly providerId: string;
  readonly connectionId: string;
}

export interface Cast {
  readonly database: TestDatabase;
  readonly environment: Environment;
  readonly sandbox: SandboxClient;
  readonly ingress: IngressClient;
  urlOf(role: Role): string;
  /** Of the process that each role was started as last. */
  readonly pids: Partial<Record<Role, number>>;
  /** One more process of the product; ended with the others. */
  start(role: Role): Promise<RunningProcess>;
  /** A new provider with one connected calendar; nothing is synced unless an inbound worker runs. */
  connect(calendarProvider?: CalendarProvider): Promise<ConnectedCalendar>;
  /** Resolves when this connection has nothing to do any more. */
  settled(connectionIds: readonly string[], withinMs: number): Promise<void>;
  /** Resolves when each of these connections has a channel that announces its changes. */
  watched(connectionIds: readonly string[], withinMs: number): Promise<void>;
  close(): Promise<void>;
}

/** @param over settings that differ from a local fleet's. */
export async function openCast(stage: Stage, over: Environment = {}): Promise<Cast> {
  const dir = mkdtempSync(join(tmpdir(), 'calsync-bench-'));
  const database = await createTestDatabase();
  const ports: Record<string, string> = {};
  for (const name of Object.values(PORTS)) ports[name] = String(await findFreePort());
  const urlOf = (role: Role) => `http://127.0.0.1:${ports[PORTS[role]]}`;
  const given = {
    ...process.env,
    ...ports,
    DATABASE_URL: database.url,
    REDIS_URL: stage.redisUrl,
    QUEUE_PREFIX: `{bench-${randomUUID().slice(0, 8)}}`,
    PUBLIC_BASE_URL: urlOf('ingress'),
    LOG_LEVEL: 'warn',
    ...over,
  };
  const environment = localEnvironment(given, urlOf('sandbox'), dir);
  const running: RunningProcess[] = [];
  const pids: Partial<Record<Role, number>> = {};
  const start = async (role: Role) => {
    const one = await startRole(role, environment, urlOf(role), stage.profileDir);
    running.push(one);
    pids[role] = one.pid;
    return one;
  };
  await Promise.all([start('sandbox'), start('ingress')]);
  const sandbox = createSandboxClient(urlOf('sandbox'));
  // Other people's quotas are not what is measured.
  await sandbox.order('PUT', '/settings', NO_QUOTAS);
  const ingress = createIngressClient(urlOf('ingress'), environment.API_TOKENS?.split(',')[0] ?? '');
  return {
    database,
    environment,
    sandbox,
    ingress,
    urlOf,
    pids,
    start,
    async connect(calendarProvider = 'google') {
      const providerId = randomUUID();
      const email = `p-${providerId.slice(0, 8)}@${calendarProvider}.example`;
      await sandbox.putUser({ calendar_provider: calendarProvider, email, time_zone: 'America/Toronto' });
      const connectionId = await ingress.connectCalendar(providerId, calendarProvider, email);
      return { calendarProvider, email, providerId, connectionId };
    },
    settled: (connectionIds, withinMs) =>
      waitUntil(
        'every connection to be in step',
        () => areClean(database, connectionIds),
        withinMs,
        LOOK_AGAIN_MS,
      ).then(() => undefined),
    watched: (connectionIds, withinMs) =>
      waitUntil(
        'every calendar to be watched',
        () => areWatched(database, connectionIds),
        withinMs,
        LOOK_AGAIN_MS,
      ).then(() => undefined),
    async close() {
      await Promise.all(running.map((one) => one.stop()));
      await database.drop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function areClean({ sql }: TestDatabase, connectionIds: readonly string[]): Promise<boolean> {
  const [row] = await sql`
    SELECT count(*) AS n FROM external_calendar_connections
     WHERE id IN ${sql([...connectionIds])} AND (sync_needed OR last_synced_at IS NULL)`;
  return Number(row?.n) === 0;
}

async function areWatched({ sql }: TestDatabase, connectionIds: readonly string[]): Promise<boolean> {
  const [row] = await sql`
    SELECT count(DISTINCT connection_id) AS n FROM channels
     WHERE connection_id IN ${sql([...connectionIds])} AND state = 'active'`;
  return Number(row?.n) === connectionIds.length;
}
