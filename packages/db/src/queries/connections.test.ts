import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { storeGrant } from './connections.ts';
import { readFleetState } from './fleet-state.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => database.sql`TRUNCATE external_calendar_connections, booking_intents CASCADE`);

const DAYS = 3;
const DAYS_IN_SECONDS = DAYS * 86_400;

/** A connection with a notification, a booking to write and an event to read, all of them days old. */
async function withOldWork(columns: Record<string, string | boolean>) {
  const { sql } = database;
  const connection = await insertConnection(sql, { columns: { account_id: 'mine', ...columns } });
  const ago = sql`now() - ${DAYS} * interval '1 day'`;
  await sql`
    UPDATE external_calendar_connections SET requested = 3, applied = 1, due_since = ${ago}, notified_at = ${ago}
     WHERE id = ${connection.id}`;
  await sql`UPDATE external_calendar_connections SET due_since = ${ago} WHERE id = ${connection.id}`;
  for (const [applied, inspectRequested] of [
    [0, 0],
    [1, 1],
  ] as const) {
    const bookingId = randomUUID();
    await sql`
      INSERT INTO booking_intents (booking_id, provider_id, version, state, start_time, end_time, details, event_id)
      VALUES (${bookingId}, ${connection.providerId}, 1, 'live', now(), now() + interval '1 hour', '{}', ${randomUUID()})`;
    await sql`
      INSERT INTO booking_effects (booking_id, connection_id, version, applied_version, inspect_requested, received_at, inspect_since)
      VALUES (${bookingId}, ${connection.id}, 1, ${applied}, ${inspectRequested}, ${ago}, ${ago})`;
  }
  return connection;
}

async function connectAgain({ id, providerId }: { id: string; providerId: string }, accountId = 'mine') {
  await storeGrant(database.db, {
    ...{ connectionId: id, providerId, calendarProvider: 'google', externalCalendarId: 'primary', accountId },
    ...{ providerEmail: null, accessTokenSealed: 'sealed', refreshTokenSealed: 'sealed', scopes: [] },
    accessTokenExpiresInSeconds: 3_600,
  });
}

async function ages() {
  const { pending } = await readFleetState(database.db);
  const [row] = await database.sql`
    SELECT extract(epoch FROM now() - notified_at)::float8 AS seconds FROM external_calendar_connections`;
  const [effect] = await database.sql`
    SELECT extract(epoch FROM now() - received_at)::float8 AS seconds FROM booking_effects WHERE applied_version = 0`;
  return {
    counts: pending.map(({ count }) => count),
    oldest: pending.map(({ oldestSeconds }) => oldestSeconds),
    lags: [Number(row?.seconds), Number(effect?.seconds)],
  };
}

test.each<[string, Record<string, string | boolean>]>([
  ['waited for its owner', { status: 'reauth_required' }],
  ['was disabled', { status: 'disabled' }],
  ['was being disconnected', { sync_enabled: false, status_reason: 'disconnect_requested' }],
])('[B-1] of a connection that %s for days, work is as old as the reconnect', async (_, columns) => {
  const connection = await withOldWork(columns);
  expect((await ages()).counts).toEqual([0, 0]);
  await connectAgain(connection);
  const { counts, oldest, lags } = await ages();
  expect(counts).toEqual([1, 2]);
  for (const age of [...oldest, ...lags]) expect(age).toBeLessThan(60);
});

test('[B-1] of a connection that was in use, work stays as old as it is: a second consent does not hide a backlog', async () => {
  const connection = await withOldWork({ status: 'active' });
  await connectAgain(connection);
  const { counts, oldest, lags } = await ages();
  expect(counts).toEqual([1, 2]);
  for (const age of [...oldest, ...lags]) expect(age).toBeGreaterThanOrEqual(DAYS_IN_SECONDS);
});

test('[B-1] work that began with the reconnect is as old as that, and was announced by nobody', async () => {
  const connection = await insertConnection(database.sql, {
    columns: { account_id: 'mine', status: 'reauth_required', applied: 1 },
  });
  await connectAgain(connection);
  const [row] = await database.sql`SELECT sync_needed, notified_at FROM external_calendar_connections`;
  expect(row).toEqual({ sync_needed: true, notified_at: null });
  expect((await ages()).oldest[0]).toBeLessThan(60);
});
