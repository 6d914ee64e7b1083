/** What an attacker inside a process could ask of the database. All tests of ingress run under its role, too. */
import { asRole, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DatabaseHandle, openDatabase } from './client.ts';
import { readCredentials } from './queries/credentials.ts';

const REFUSED = '42501';

let database: TestDatabase;
let connectionId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  connectionId = (await insertConnection(database.sql)).id;
  await database.sql`UPDATE external_calendar_connections SET refresh_token_sealed = 'v1.k1.sealed'`;
});
afterAll(() => database.drop());

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'allowed';
  } catch (error) {
    const { code, cause } = error as { code?: string; cause?: { code?: string } };
    return cause?.code ?? code ?? 'unknown';
  }
}

describe.each(['calsync_ingress', 'calsync_ops'] as const)('%s', (role) => {
  let handle: DatabaseHandle;
  beforeAll(() => {
    handle = openDatabase(asRole(database.url, role), { applicationName: 'test', max: 1 });
  });
  afterAll(() => handle.close());

  test.each([
    ['a token', 'SELECT refresh_token_sealed FROM external_calendar_connections'],
    ['a token in passing', 'SELECT c FROM external_calendar_connections c'],
    ['every column', 'SELECT * FROM external_calendar_connections'],
    ['which tokens begin alike', "SELECT id FROM external_calendar_connections WHERE access_token_sealed LIKE 'v1%'"],
    [
      'a token by way of another column',
      'UPDATE external_calendar_connections SET provider_email = refresh_token_sealed',
    ],
    [
      'a token as the answer to a write',
      "UPDATE external_calendar_connections SET provider_email = 'x' RETURNING refresh_token_sealed",
    ],
    ['a copy of the table', 'CREATE TABLE copy AS TABLE external_calendar_connections'],
    ['a file', "COPY external_calendar_connections TO PROGRAM 'cat'"],
    ['another role', 'SET ROLE calsync_worker'],
    ['another password', "ALTER ROLE calsync_worker PASSWORD 'x'"],
    ['a table of its own', 'CREATE TABLE mine (x int)'],
    ['a trigger', 'ALTER TABLE external_calendar_connections DISABLE TRIGGER ALL'],
    ['the history of switches', 'DELETE FROM audit_log'],
    ['everything gone', 'TRUNCATE booking_intents'],
  ])('[A-1] is refused %s', async (_what, statement) => {
    expect(await codeOf(handle.sql.unsafe(statement))).toBe(REFUSED);
  });

  test('[A-1] is refused by the product’s own query for tokens', async () => {
    expect(await codeOf(readCredentials(handle.db, connectionId))).toBe(REFUSED);
  });

  test('reads every other column, also those of later migrations', async () => {
    const refused = await database.sql`
      SELECT attname AS name FROM pg_attribute
       WHERE attrelid = 'external_calendar_connections'::regclass AND attnum > 0 AND NOT attisdropped
         AND NOT has_column_privilege(${role}, attrelid, attnum, 'SELECT')
       ORDER BY 1`;
    expect(refused.map(({ name }) => name)).toEqual(['access_token_sealed', 'refresh_token_sealed']);
  });
});

test('[A-1] a worker reads what it needs for its calls', async () => {
  const handle = openDatabase(asRole(database.url, 'calsync_worker'), { applicationName: 'test', max: 1 });
  expect(await readCredentials(handle.db, connectionId)).toMatchObject({ refreshTokenSealed: 'v1.k1.sealed' });
  expect(await codeOf(handle.sql.unsafe('CREATE TABLE mine (x int)'))).toBe(REFUSED);
  await handle.close();
});

test('every table is somebody’s, and only the operator’s command may take a table’s rows at will beside workers', async () => {
  const rows = await database.sql`
    SELECT tablename AS table, role,
           array_agg(privilege ORDER BY privilege) FILTER (WHERE has_table_privilege(role, 'public.' || tablename, privilege)) AS may
      FROM pg_tables, unnest(ARRAY['calsync_ingress', 'calsync_worker', 'calsync_ops', 'calsync_cli']) AS role,
           unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
     WHERE schemaname = 'public' AND tablename <> 'schema_migrations' GROUP BY 1, 2`;
  const all = ['DELETE', 'INSERT', 'SELECT', 'UPDATE'];
  for (const { table, role, may } of rows) {
    if (role === 'calsync_worker' || role === 'calsync_cli')
      expect({ table, role, may }).toEqual({ table, role, may: all });
  }
  const full = rows.filter(({ role, may }) => ['calsync_ingress', 'calsync_ops'].includes(role) && may?.length === 4);
  expect(full.map(({ table, role }) => `${role} ${table}`)).toEqual(
    ['calsync_ops operator_switches', 'calsync_ingress booking_effects'].sort(),
  );
});
