import { randomUUID } from 'node:crypto';
import { type DatabaseHandle, openDatabase } from '@bookiji/db';
import postgres from 'postgres';

export interface TestDatabase extends DatabaseHandle {
  readonly url: string;
  /** Closes and drops it. */
  drop(): Promise<void>;
}

/** A database of its own, cloned from the migrated template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const template = new URL(readServer());
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await administer(async (sql) => {
    // biome-ignore lint/plugin: a name made here; DDL takes no parameters
    await sql.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template.pathname.slice(1)}`);
  });
  const url = new URL(template);
  url.pathname = `/${name}`;
  const handle = openDatabase(url.href, { applicationName: 'test', max: 10 });
  return {
    ...handle,
    url: url.href,
    async drop() {
      await handle.close();
      // biome-ignore lint/plugin: a name made here; DDL takes no parameters
      await administer((sql) => sql.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

/**
 * Moves the database's clock: from the next connection on, `now()` there is ahead by this much. Works because the
 * product never qualifies `now()`, and a schema before `pg_catalog` on the search path may have its own.
 */
export async function moveClock(url: string, aheadSeconds: number): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  const name = new URL(url).pathname.slice(1);
  try {
    // biome-ignore lint/plugin: a number, and the name of a test database
    await sql.unsafe(`
      CREATE SCHEMA IF NOT EXISTS moved_clock;
      GRANT USAGE ON SCHEMA moved_clock TO PUBLIC;
      CREATE OR REPLACE FUNCTION moved_clock.now() RETURNS timestamptz LANGUAGE sql STABLE
        AS $$ SELECT pg_catalog.now() + ${Number(aheadSeconds)} * interval '1 second' $$;
      ALTER DATABASE ${name} SET search_path = moved_clock, pg_catalog, public;`);
  } finally {
    await sql.end();
  }
}

function readServer(): string {
  const url = process.env.CALSYNC_TEST_POSTGRES;
  if (url === undefined)
    throw new Error('the test servers are not running; run tests through npm test or the jest config');
  return url;
}

async function administer(work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const url = new URL(readServer());
  url.pathname = '/postgres';
  const sql = postgres(url.href, { max: 1, onnotice: () => undefined });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}
