import { sql as drizzleSql } from 'drizzle-orm';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import * as schema from './schema/index.ts';

/** The database as queries see it: inside a transaction or not makes no difference to them. */
export type Database = PostgresJsDatabase<typeof schema>;

export interface DatabaseHandle {
  readonly db: Database;
  /** The driver underneath. */
  readonly sql: postgres.Sql;
  /** Throws when the database does not answer within `timeoutMs`. */
  ping(timeoutMs?: number): Promise<void>;
  /**
   * Has hot statements prepared by name from now on, if every session is this pool's own.
   *
   * @returns whether it is. Behind a pooler it is not, and the next statement may meet a server that knows no such name.
   */
  prepareStatements(): Promise<boolean>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Connections at most (10). */
  readonly max?: number;
  /** Shown in pg_stat_activity: the process's role. */
  readonly applicationName: string;
  /** A statement is cancelled after this long, milliseconds (15000). */
  readonly statementTimeoutMs?: number;
  /** A connection that says nothing for so long while a statement waits is given up, milliseconds (20000). */
  readonly answerTimeoutMs?: number;
}

/**
 * As long as the leases: a process that stands still in the middle of a transaction may not keep its row locks for
 * longer than its lease, since everybody who would take over waits for them, ingress included.
 */
const IDLE_IN_TRANSACTION_MS = 5_000;
const STATEMENT_MS = 15_000;
/** The server ends every statement before that, so whoever is still silent is gone: a line that broke without a word. */
const ANSWER_MS = STATEMENT_MS + 5_000;

/**
 * Opens a pool. Connecting is lazy; a lost server is met again on the next query. Nothing is kept in sessions but their
 * limits, and statements are prepared by name only where no pooler is found (`prepareStatements`), so one in transaction
 * mode that sets those limits may stand in between (`requireSessionLimits`).
 */
export function openDatabase(url: string, options: DatabaseOptions): DatabaseHandle {
  const sql = postgres(url, {
    max: options.max ?? 10,
    prepare: false,
    connect_timeout: 5,
    answer_timeout: (options.answerTimeoutMs ?? ANSWER_MS) / 1_000,
    idle_timeout: 60,
    // `max_lifetime` is left to the driver, which draws it for each pool: thirty minutes after a fleet's start all sessions of
    // all its processes ended at once.
    backoff: (retries: number) => Math.min(0.05 * 2 ** retries, 1),
    onnotice: () => undefined,
    connection: {
      application_name: options.applicationName,
      statement_timeout: options.statementTimeoutMs ?? STATEMENT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    },
  });
  const db = drizzle(sql, { schema, casing: 'snake_case' });
  return {
    db,
    sql,
    ping: (timeoutMs = 2_000) => pingWithin(sql, timeoutMs),
    prepareStatements: () => prepareStatements(sql),
    close: () => sql.end({ timeout: 5 }),
  };
}

/** A pooler gives each client a process id of its own making, since it has many for one server's. */
async function prepareStatements(sql: postgres.Sql): Promise<boolean> {
  const { state, 0: row } = await sql<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
  const isOurs = row?.pid === state.pid;
  // Only those that drizzle was given a name for: it says of all others that they are not to be.
  (sql.options as { prepare: boolean }).prepare = isOurs;
  return isOurs;
}

async function pingWithin(sql: postgres.Sql, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`database did not answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([sql`SELECT 1`, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What a direct connection brings along, a pooler in transaction mode forgets; then nobody would end the transaction of a
 * process that stands still, and its row locks would stay.
 *
 * @throws Error, one line for the operator, when the sessions that statements meet have no limits.
 */
export async function requireSessionLimits(db: Database): Promise<void> {
  const rows = await db.execute<{ name: string }>(
    drizzleSql`SELECT name FROM pg_settings
      WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout') AND setting = '0' ORDER BY name`,
  );
  if (rows.length === 0) return;
  const missing = [...rows].map(({ name }) => name).join(' and ');
  throw new Error(`the pooler in front of the database must set ${missing} on its sessions; see docs/operating.md`);
}

/** The database's time: the only clock for waits, leases and ages. */
export async function readDatabaseTime(db: Database): Promise<Date> {
  const [row] = await db.execute<{ now: string }>(drizzleSql`SELECT now() AS now`);
  return new Date(row?.now ?? Number.NaN);
}

/** False for a login that was given no more than its role (`migrations/0012_roles.sql`). */
export async function mayCreateSchemas(db: Database): Promise<boolean> {
  const [row] = await db.execute<{ may: boolean }>(
    drizzleSql`SELECT has_database_privilege(current_database(), 'CREATE') AS may`,
  );
  return row?.may === true;
}
