import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { migrationsRollback } from '../src/drills/migrations-rollback.ts';
import { runDrill } from '../src/run-drill.ts';
import { fillTables, findLost, readTables } from '../src/scene/fill-tables.ts';
import { createPrivateWords } from '../src/target/private-words.ts';
import type { Target } from '../src/target/target.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** All that the drill needs of its own fleet: empty databases. */
function databasesOnly(): Target {
  const createDatabase = async () => {
    const name = `rollback_${randomUUID().replaceAll('-', '')}`;
    await database.sql.unsafe(`CREATE DATABASE ${name}`);
    const url = new URL(database.url);
    url.pathname = `/${name}`;
    return { url: url.href, drop: async () => void (await database.sql.unsafe(`DROP DATABASE ${name} WITH (FORCE)`)) };
  };
  return { owned: { createDatabase }, privateWords: createPrivateWords() } as unknown as Target;
}

describe('the rollback drill', () => {
  test('[M-1] passes: all migrations down and up with rows in every table, nothing lost that could be kept', async () => {
    const { verdict, observations } = await runDrill(migrationsRollback, databasesOnly(), { now: () => new Date() });
    expect(observations.filter(({ ok }) => !ok)).toEqual([]);
    expect(verdict).toBe('PASS');
  }, 120_000);

  test('[M-1] sees a lost row, a changed value, and nothing else', async () => {
    await fillTables(database.sql);
    const before = await readTables(database.sql);
    expect(findLost(before, await readTables(database.sql))).toEqual([]);
    await database.sql`ALTER TABLE audit_log DROP COLUMN details`;
    expect(findLost(before, await readTables(database.sql))).toEqual([]);
    await database.sql`DELETE FROM sweeps`;
    await database.sql`UPDATE sync_runs SET outcome = 'failed'`;
    expect(findLost(before, await readTables(database.sql)).sort()).toEqual(['sweeps', 'sync_runs']);
  });
});
