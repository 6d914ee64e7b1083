/** The real ops app for one test file: own database, own queues, a real HTTP server on a free port. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openDatabase } from '@bookiji/db';
import { createFlagBoard, FLAG_NAMES, readFlagCeiling } from '@bookiji/flags';
import { createLogger, createMetrics } from '@bookiji/observability';
import { openQueues, type QueueSystem } from '@bookiji/queues';
import { asRole, createTestDatabase, keepLogLine, type TestDatabase } from '@bookiji/testing';
import type { Express } from 'express';
import { createLogin } from '../src/access/login.ts';
import { createThrottle } from '../src/access/throttle.ts';
import { createOps } from '../src/app.ts';
import { createLagWindow } from '../src/fleet/lag-window.ts';

export const OPS_TOKEN = 'ops-token-of-the-tests';
export const READER_TOKEN = 'read-only-token-of-the-tests';

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Whose bearer token goes along; nobody's for null (an operator's). */
  readonly as?: string | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface TestOps {
  readonly url: string;
  readonly app: Express;
  readonly database: TestDatabase;
  readonly queues: QueueSystem;
  /** Everything that was logged, as written. */
  readonly lines: readonly string[];
  ask(path: string, asked?: Asked): Promise<Answer>;
  /** Action, subject and details of everything in the operator log, oldest first. */
  operatorLog(): Promise<{ actor: string; action: string; subject: string; details: unknown }[]>;
  close(): Promise<void>;
}

export async function startOps(
  options: {
    readonly isReadOnly?: boolean;
    readonly failuresPerMinute?: number;
    readonly now?: () => Date;
    /** Queues are in PostgreSQL otherwise. */
    readonly redisUrl?: string;
  } = {},
): Promise<TestOps> {
  const database = await createTestDatabase();
  // As in production: without the right to read a token.
  const opsUrl = asRole(database.url, 'calsync_ops');
  const handle = openDatabase(opsUrl, { applicationName: 'ops', max: 5 });
  const lines: string[] = [];
  const keep = (line: string) => {
    lines.push(line);
    keepLogLine(line);
  };
  const logger = createLogger({ role: 'ops', level: 'debug', destination: { write: keep } });
  const prefix = `{test-${randomUUID().slice(0, 8)}}`;
  const queues = openQueues(
    options.redisUrl === undefined
      ? { kind: 'postgres', url: opsUrl, prefix, isPrepared: true }
      : { kind: 'redis', url: options.redisUrl, prefix },
    () => undefined,
  );
  const ceiling = readFlagCeiling(Object.fromEntries(FLAG_NAMES.map((name) => [name, 'true'])));
  const flags = createFlagBoard({ ceiling, db: handle.db });
  await flags.start();
  const app = createOps({
    db: handle.db,
    flags,
    ceiling,
    queues,
    metrics: createMetrics('ops'),
    logger,
    login: createLogin([OPS_TOKEN], [READER_TOKEN]),
    throttle: createThrottle(options.failuresPerMinute ?? 1_000),
    lagWindow: createLagWindow(),
    readiness: [],
    isSecure: false,
    isReadOnly: options.isReadOnly ?? false,
    reconcileSeconds: 300,
    now: options.now ?? (() => new Date()),
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    app,
    database,
    queues,
    lines,
    ask: (path, asked) => ask(`${url}${path}`, asked),
    async operatorLog() {
      const rows = await database.sql`SELECT actor, action, subject, details FROM audit_log ORDER BY id`;
      return rows.map(({ actor, action, subject, details }) => ({ actor, action, subject, details }));
    },
    async close() {
      flags.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await queues.close();
      await handle.close();
      await database.drop();
    },
  };
}

async function ask(url: string, { method, headers = {}, form, json, as = OPS_TOKEN }: Asked = {}): Promise<Answer> {
  const body = form === undefined ? json : new URLSearchParams(form);
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    redirect: 'manual',
    headers: {
      ...(as === null ? {} : { authorization: `Bearer ${as}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: form === undefined ? JSON.stringify(json) : (body as URLSearchParams) }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}
