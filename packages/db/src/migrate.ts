/**
 * Migrations, run by node-pg-migrate from the SQL files in `migrations/`: all that one run applies or rolls back in one
 * transaction, one runner at a time (the others wait on its advisory lock and find nothing left to do), and none that waits
 * for a table while the fleet waits behind it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';

const MIGRATIONS_DIR = fileURLToPath(new URL('../../../migrations', import.meta.url));
const MIGRATIONS_TABLE = 'schema_migrations';
const silent = () => undefined;
const logger = { debug: silent, info: silent, warn: silent, error: silent };

/** Names on disk, in order, without extension. */
export function listMigrations(dir = MIGRATIONS_DIR): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.slice(0, -'.sql'.length))
    .sort();
}

export interface MigrationStatus {
  readonly applied: string[];
  readonly pending: string[];
  /** In the database but not on disk: its schema is newer than this program. */
  readonly unknown: string[];
}

export async function migrationStatus(databaseUrl: string): Promise<MigrationStatus> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: silent });
  try {
    const [table] = await sql`SELECT to_regclass(${MIGRATIONS_TABLE}) AS name`;
    const rows = table?.['name'] === null ? [] : await sql`SELECT name FROM ${sql(MIGRATIONS_TABLE)} ORDER BY id`;
    const applied = rows.map((row) => String(row['name']));
    const onDisk = listMigrations();
    return {
      applied,
      pending: onDisk.filter((name) => !applied.includes(name)),
      unknown: applied.filter((name) => !onDisk.includes(name)),
    };
  } finally {
    await sql.end();
  }
}

/** How a migration deals with a table that somebody else holds. */
export interface Patience {
  /** One try waits for a table for so long, milliseconds (5000); whoever asks for it meanwhile waits behind the try. */
  readonly lockTimeoutMs?: number;
  /** (5). */
  readonly tries?: number;
  /** Between two tries, for those who waited (2000). */
  readonly pauseMs?: number;
  /** Told before each pause. */
  readonly onHeld?: (tryNumber: number, tries: number) => void;
}

/** Somebody held a table longer than all tries together; nothing was changed. */
export class TablesHeldError extends Error {
  constructor(tries: number, lockTimeoutMs: number) {
    super(
      `a table that the migration changes is held by somebody else: ${tries} tries of ${lockTimeoutMs / 1_000} s, nothing was changed; end the dump, the vacuum or the long query (pg_stat_activity names it), then migrate again`,
    );
    this.name = 'TablesHeldError';
  }
}

/** Applies what is pending; returns the names applied. */
export function migrateUp(databaseUrl: string, patience: Patience = {}): Promise<string[]> {
  return migrate(databaseUrl, 'up', Number.POSITIVE_INFINITY, patience);
}

/** Rolls back the newest `count` migrations; returns the names rolled back. */
export function migrateDown(databaseUrl: string, count: number, patience: Patience = {}): Promise<string[]> {
  return migrate(databaseUrl, 'down', count, patience);
}

/** A lock that did not come in time, and a deadlock, of which the server ended this side. */
const HELD = new Set<unknown>(['55P03', '40P01']);

/**
 * A statement that wants a table alone queues behind whoever reads it, and all others queue behind the statement: beside a
 * dump of an hour, an hour in which the fleet stands still. So each try is short, and what it did is undone. The same goes
 * for a try that met a session which takes the same tables in another order.
 */
async function migrate(
  databaseUrl: string,
  direction: 'up' | 'down',
  count: number,
  patience: Patience,
): Promise<string[]> {
  const { lockTimeoutMs = 5_000, tries = 5, pauseMs = 2_000, onHeld = () => undefined } = patience;
  for (let tryNumber = 1; ; tryNumber += 1) {
    try {
      return await tryToMigrate(databaseUrl, direction, count, lockTimeoutMs);
    } catch (error) {
      if (!HELD.has((error as { code?: unknown }).code)) throw error;
      if (tryNumber >= tries) throw new TablesHeldError(tries, lockTimeoutMs);
      onHeld(tryNumber, tries);
      await setTimeout(pauseMs);
    }
  }
}

async function tryToMigrate(
  databaseUrl: string,
  direction: 'up' | 'down',
  count: number,
  lockTimeoutMs: number,
): Promise<string[]> {
  // Half of what a start would load, and seldom needed.
  const [{ PG_MIGRATE_LOCK_ID, runner }, { default: pg }] = await Promise.all([
    import('node-pg-migrate'),
    import('pg'),
  ]);
  const client = new pg.Client({ connectionString: databaseUrl });
  // A lost connection shows itself in what is asked of it.
  client.on('error', silent);
  await client.connect();
  try {
    // Taken here and not by the runner: another run is waited for without a limit, which would count for this lock too.
    // biome-ignore lint/plugin: constant text
    await client.query('SELECT pg_advisory_lock($1)', [PG_MIGRATE_LOCK_ID]);
    // biome-ignore lint/plugin: constant text
    await client.query("SELECT set_config('lock_timeout', $1, false)", [String(lockTimeoutMs)]);
    const done = await runner({
      dbClient: client,
      noLock: true,
      // Unset is one transaction per migration, whatever the type's comment says: a second try would go on from there.
      singleTransaction: true,
      dir: `${MIGRATIONS_DIR}/*.sql`,
      useGlob: true,
      migrationsTable: MIGRATIONS_TABLE,
      direction,
      count,
      logger,
    });
    return done.map((migration) => migration.name);
  } finally {
    // The session's end gives the lock back.
    await client.end();
  }
}

export interface Verification {
  readonly migration: string;
  readonly check: string;
  readonly violations: number;
}

/** Runs the verification queries that stand beside the applied migrations. Every count should be zero. */
export async function verifyMigrations(databaseUrl: string): Promise<Verification[]> {
  const { applied } = await migrationStatus(databaseUrl);
  const sql = postgres(databaseUrl, { max: 1, onnotice: silent });
  try {
    const verifications: Verification[] = [];
    for (const migration of applied) {
      // biome-ignore lint/plugin: a file of this repository
      const rows = await sql.unsafe(readFileSync(`${MIGRATIONS_DIR}/verify/${migration}.sql`, 'utf8'));
      for (const row of rows) {
        verifications.push({ migration, check: String(row['check']), violations: Number(row['violations']) });
      }
    }
    return verifications;
  } finally {
    await sql.end();
  }
}
