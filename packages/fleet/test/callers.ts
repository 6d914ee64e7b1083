/** A database, a sandbox, and processes that call it, for tests of what processes share. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CalendarProvider } from '@bookiji/providers/contract';
import { createSandbox, type PartialSettings } from '@bookiji/sandbox';
import { sealToken } from '@bookiji/sync';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import type { CallOrder } from './call-order.ts';

const CALLER = fileURLToPath(new URL('./caller.ts', import.meta.url));
const QUICK_IMPORTS = new URL('../../../scripts/quick-imports.mjs', import.meta.url).href;
const MISSING = { googleEventId: 'a'.repeat(32), transactionId: '00000000-0000-4000-8000-000000000000' };

export type Target = Omit<CallOrder, 'workers' | 'calls'>;

export interface Caller {
  /** @returns what came of each call: `ok`, or kind and reason; `killed` when nobody can tell. */
  call(target: Target, workers: number, calls: number): Promise<string[]>;
  kill(): Promise<void>;
}

export interface Scene {
  readonly database: TestDatabase;
  order<Body>(method: string, path: string, body?: unknown): Promise<Body>;
  /** A connection with tokens of the sandbox, whose access token has expired. */
  connect(calendarProvider: CalendarProvider): Promise<Target>;
  /** Requests that the sandbox took for an operation, by status; 0 for a lost answer. */
  countRequests(operation: string): Promise<Record<number, number>>;
  startCaller(): Promise<Caller>;
  close(): Promise<void>;
}

export async function startScene(settings: PartialSettings = {}): Promise<Scene> {
  const database = await createTestDatabase();
  const sandbox = createSandbox({ settings });
  const { url } = await sandbox.listen();
  const callers: Caller[] = [];
  const order = async <Body>(method: string, path: string, body?: unknown): Promise<Body> => {
    const response = await fetch(`${url}/sandbox${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status} ${await response.text()}`);
    const text = await response.text();
    return (text === '' ? null : JSON.parse(text)) as Body;
  };
  return {
    database,
    order,
    connect: (calendarProvider) => connect(database, url, order, calendarProvider),
    async countRequests(operation) {
      const { counts } = await order<{ counts: { status: number; count: number }[] }>(
        'GET',
        `/requests?operation=${operation}`,
      );
      return Object.fromEntries(counts.map(({ status, count }) => [status, count]));
    },
    async startCaller() {
      const caller = await startCaller();
      callers.push(caller);
      return caller;
    },
    async close() {
      await Promise.all(callers.map((caller) => caller.kill()));
      await sandbox.close();
      await database.drop();
    },
  };
}

async function connect(
  database: TestDatabase,
  sandboxUrl: string,
  order: Scene['order'],
  calendarProvider: CalendarProvider,
): Promise<Target> {
  const { id } = await insertConnection(database.sql, { calendarProvider });
  const key = randomBytes(32);
  const grant = await order<{ access_token: string; refresh_token: string }>('POST', '/grants', {
    calendar_provider: calendarProvider,
    email: `${id}@${calendarProvider}.example`,
    client_id: 'app',
  });
  const seal = (token: string, field: 'access_token' | 'refresh_token') =>
    sealToken(token, { connectionId: id, field }, [{ id: 'k1', key }]);
  await database.sql`
    UPDATE external_calendar_connections
       SET access_token_sealed = ${seal(grant.access_token, 'access_token')},
           refresh_token_sealed = ${seal(grant.refresh_token, 'refresh_token')},
           access_token_expires_at = now() - interval '1 minute'
     WHERE id = ${id}`;
  const connection = { id, calendarProvider };
  const databaseUrl = database.url;
  return { databaseUrl, sandboxUrl, key: key.toString('base64'), timeoutMs: 8_000, connection, missing: MISSING };
}

async function startCaller(): Promise<Caller> {
  const options = [
    '--conditions=@bookiji/source',
    '--disable-warning=ExperimentalWarning',
    `--import=${QUICK_IMPORTS}`,
  ];
  const child = spawn(process.execPath, [...options, CALLER], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await lines.next();
  return {
    async call(target, workers, calls) {
      child.stdin.write(`${JSON.stringify({ ...target, workers, calls } satisfies CallOrder)}\n`);
      const { value } = await lines.next();
      return value === undefined ? ['killed'] : (JSON.parse(value) as string[]);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
