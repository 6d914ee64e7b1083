/** Migrations beside somebody who reads for hours: the fleet does not stand still for it, and the next run succeeds. */
import { createTestDatabase, type TestDatabase, untilSomebodyWaits } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { listMigrations, migrateDown, migrateUp, migrationStatus, TablesHeldError } from './migrate.ts';

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

/** Somebody reads a table until they are told to let it go. */
function reading(table: 'booking_intents' | 'external_calendar_events') {
  const letGo = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const isOver = database.sql.begin(async (dump) => {
    await dump`LOCK TABLE ${dump(table)} IN ACCESS SHARE MODE`;
    held.resolve();
    await letGo.promise;
  });
  const end = async () => {
    letGo.resolve();
    await isOver;
  };
  return { held: held.promise, letGo: letGo.resolve, end };
}

const appliedNow = async () => (await migrationStatus(database.url)).applied;

test('[M-1] of several migrations up none stays when only the second one finds its table held', async () => {
  await migrateDown(database.url, WANTED.length);
  // 0021 does not want it, 0022 does.
  const dump = reading('external_calendar_events');
  await dump.held;
  await expect(migrateUp(database.url, PATIENCE)).rejects.toThrow(TablesHeldError);
  expect(await appliedNow()).toEqual(listMigrations().slice(0, -WANTED.length));
  const migrating = migrateUp(database.url, { ...PATIENCE, tries: 50, onHeld: () => dump.letGo() });
  expect(await migrating).toEqual(WANTED);
  await dump.end();
});

test('[M-1] as many migrations go down as were asked for, however many tries one of them takes', async () => {
  // 0022 does not want it, 0021 does.
  const dump = reading('booking_intents');
  await dump.held;
  await expect(migrateDown(database.url, WANTED.length, PATIENCE)).rejects.toThrow(TablesHeldError);
  expect(await appliedNow()).toEqual(listMigrations());
  const migrating = migrateDown(database.url, WANTED.length, { ...PATIENCE, tries: 50, onHeld: () => dump.letGo() });
  expect(await migrating).toEqual(WANTED.toReversed());
  await dump.end();
  expect(await migrateUp(database.url, PATIENCE)).toEqual(WANTED);
});

test('[M-1] a migration that is in a deadlock with the fleet is tried again, and nothing of its first try stays', async () => {
  const { sql, url } = database;
  await migrateDown(url, WANTED.length);
  const triedAgain = Promise.withResolvers<void>();
  const patience = { lockTimeoutMs: 3_000, tries: 2, pauseMs: 100, onHeld: () => triedAgain.resolve() };
  let migrating: Promise<string[]> | undefined;
  await sql.begin(async (fleet) => {
    // Of two in a deadlock the one is ended that looks for it first.
    await fleet`SET LOCAL deadlock_timeout = '1min'`;
    await fleet`LOCK TABLE external_calendar_connections IN ACCESS SHARE MODE`;
    migrating = migrateUp(url, patience);
    migrating.catch((error: unknown) => triedAgain.reject(error));
    // It holds `booking_intents` by now.
    await untilSomebodyWaits(sql);
    await fleet`SELECT count(*) FROM booking_intents`;
    await triedAgain.promise;
    expect(await appliedNow()).toEqual(listMigrations().slice(0, -WANTED.length));
  });
  expect(await migrating).toEqual(WANTED);
});
