/**
 * Migrations, run by node-pg-migrate from the SQL files in `migrations/`: all pending ones in one transaction, one
 * runner at a time (the others wait on its advisory lock and find nothing left to do).
 */
import { readdirSync, readFileSync } from 'node:fs';
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

/** Applies what is pending; returns the names applied. */
export function migrateUp(databaseUrl: string, count?: number): Promise<string[]> {
  return migrate(databaseUrl, 'up', count ?? Number.POSITIVE_INFINITY);
}

/** Rolls back the newest `count` migrations; returns the names rolled back. */
export function migrateDown(databaseUrl: string, count: number): Promise<string[]> {
  return migrate(databaseUrl, 'down', count);
}

async function migrate(databaseUrl: string, direction: 'up' | 'down', count: number): Promise<string[]> {
  // Half of what a start would load, and seldom needed.
  const { runner } = await import('node-pg-migrate');
  const done = await runner({
    databaseUrl,
    dir: `${MIGRATIONS_DIR}/*.sql`,
    useGlob: true,
    migrationsTable: MIGRATIONS_TABLE,
    direction,
    count,
    advisoryLockMode: 'wait',
    logger,
  });
  return done.map((migration) => migration.name);
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
