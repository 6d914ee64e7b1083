/** Migrations beside somebody who reads for hours: the fleet does not stand still for it, and the next run succeeds. */
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { listMigrations, migrateDown, migrateUp, TablesHeldError } from './migrate.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** From the one on that wants `booking_intents` alone. */
const WANTED = listMigrations().filter((name) => name >= '0021_adoptions');
const PATIENCE = { lockTimeoutMs: 300, tries: 2, pauseMs: 100 };

test('[M-1] a migration gives way to a running dump instead of having everybody else wait, and changes nothing', async () => {
  const { sql } = database;
  await migrateDown(database.url, WANTED.length);
  let isOver = false;
  let slowestMs = 0;
  const reads = async () => {
    while (!isOver) {
      const askedAt = performance.now();
      await sql`SELECT count(*) FROM booking_intents`;
      slowestMs = Math.max(slowestMs, performance.now() - askedAt);
    }
  };
  await sql.begin(async (dump) => {
    // What pg_dump holds from its first to its last row.
    await dump`LOCK TABLE booking_intents IN ACCESS SHARE MODE`;
    const reading = reads();
    const failing = expect(migrateUp(database.url, PATIENCE)).rejects;
    await failing.toThrow(new TablesHeldError(PATIENCE.tries, PATIENCE.lockTimeoutMs));
    isOver = true;
    await reading;
    await sql`SELECT count(*) FROM booking_intents`;
  });
  expect(slowestMs).toBeGreaterThan(PATIENCE.lockTimeoutMs / 2);
  expect(slowestMs).toBeLessThan(2_000);
  expect(await migrateUp(database.url, PATIENCE)).toEqual(WANTED);
});

test('[M-1] a migration that is let through by the second try says nothing of the first', async () => {
  const { sql } = database;
  await migrateDown(database.url, WANTED.length);
  const letGo = Promise.withResolvers<void>();
  const holding = sql.begin(async (dump) => {
    await dump`LOCK TABLE booking_intents IN ACCESS SHARE MODE`;
    await letGo.promise;
  });
  const migrating = migrateUp(database.url, { ...PATIENCE, tries: 50, onHeld: () => letGo.resolve() });
  expect(await migrating).toEqual(WANTED);
  await holding;
});

test('[M-1] a run waits for another one for as long as it takes', async () => {
  const { sql } = database;
  await migrateDown(database.url, WANTED.length);
  const letGo = Promise.withResolvers<void>();
  const other = sql.begin(async (tx) => {
    // The key that node-pg-migrate of every version uses.
    await tx`SELECT pg_advisory_xact_lock(7241865325823964)`;
    await letGo.promise;
  });
  const migrating = migrateUp(database.url, { ...PATIENCE, lockTimeoutMs: 50, tries: 1 });
  await sql`SELECT pg_sleep(0.4)`;
  letGo.resolve();
  expect(await migrating).toEqual(WANTED);
  await other;
});
