import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { readFleetState } from './fleet-state.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => database.sql`TRUNCATE external_calendar_connections, booking_intents CASCADE`);

async function withWork(columns: Record<string, string | boolean>, receivedMinutesAgo: number): Promise<void> {
  const { sql } = database;
  const connection = await insertConnection(sql, { columns });
  const bookingId = randomUUID();
  await sql`
    INSERT INTO booking_intents (booking_id, provider_id, version, state, start_time, end_time, details, event_id)
    VALUES (${bookingId}, ${connection.providerId}, 1, 'live', now(), now() + interval '1 hour', '{}', ${randomUUID()})`;
  await sql`
    INSERT INTO booking_effects (booking_id, connection_id, version, received_at)
    VALUES (${bookingId}, ${connection.id}, 1, now() - ${receivedMinutesAgo} * interval '1 minute')`;
}

test('[B-1] what nobody may write now is not pending: neither its number nor its age', async () => {
  await withWork({ status: 'active' }, 1);
  await withWork({ status: 'disabled' }, 600);
  await withWork({ status: 'reauth_required' }, 600);
  await withWork({ sync_enabled: false }, 600);
  const { pending } = await readFleetState(database.db);
  const outbound = pending.find(({ kind }) => kind === 'outbound');
  expect(outbound?.count).toBe(1);
  expect(outbound?.oldestSeconds).toBeGreaterThanOrEqual(60);
  expect(outbound?.oldestSeconds).toBeLessThan(300);
});

const stateOf = async (kind: 'inbound' | 'outbound', gates?: Parameters<typeof readFleetState>[1]) =>
  (await readFleetState(database.db, gates)).pending.find((one) => one.kind === kind);

test('[B-1] work is as old as the wish for it, whoever asked: not as old as the last look, nor as its last failure', async () => {
  const { sql } = database;
  const { id } = await insertConnection(sql, { columns: { status: 'active' } });
  const ago = (minutes: number) => sql`now() - ${minutes} * interval '1 minute'`;
  await sql`
    UPDATE external_calendar_connections SET applied = requested, due_since = ${ago(600)}, updated_at = ${ago(600)} WHERE id = ${id}`;
  await sql`UPDATE external_calendar_connections SET requested = requested + 1, requested_by = 'schedule' WHERE id = ${id}`;
  expect((await stateOf('inbound'))?.oldestSeconds).toBeLessThan(60);
  await sql`UPDATE external_calendar_connections SET due_since = ${ago(30)} WHERE id = ${id}`;
  // A failed try and another wish: it has been due all the time.
  await sql`UPDATE external_calendar_connections SET updated_at = now(), error_count = 1, requested = requested + 1 WHERE id = ${id}`;
  expect((await stateOf('inbound'))?.oldestSeconds).toBeGreaterThan(1_700);
  // A look, during which somebody asked again.
  await sql`UPDATE external_calendar_connections SET applied = requested - 1 WHERE id = ${id}`;
  expect((await stateOf('inbound'))?.oldestSeconds).toBeLessThan(60);
});

test("[B-1] a read of an old booking's event is as old as the wish for it", async () => {
  await withWork({ status: 'active' }, 600);
  await database.sql`UPDATE booking_effects SET applied_version = version`;
  await database.sql`UPDATE booking_effects SET inspect_requested = inspect_requested + 1`;
  expect(await stateOf('outbound')).toMatchObject({ count: 1 });
  expect((await stateOf('outbound'))?.oldestSeconds).toBeLessThan(60);
});

test('[F-3] what operators stopped is parked: neither pending nor old', async () => {
  await withWork({ status: 'active' }, 600);
  const [row] = await database.sql`SELECT id FROM external_calendar_connections`;
  const open = { providerIds: null, connectionIds: null };
  const parked = { count: 0, oldestSeconds: 0, parkedCount: 1 };
  expect(await stateOf('outbound', { allow: open, off: [] })).toMatchObject({ count: 1, parkedCount: 0 });
  expect(await stateOf('outbound', { allow: open, off: ['outbound'] })).toMatchObject(parked);
  expect(await stateOf('outbound', { allow: { ...open, connectionIdsOff: [row?.id] }, off: [] })).toMatchObject(parked);
  expect(await stateOf('inbound', { allow: { ...open, providerIds: [randomUUID()] }, off: [] })).toMatchObject(parked);
});

test('[B-1] a connection in use is in doubt while something in its calendar cannot be read', async () => {
  const { sql } = database;
  const { id } = await insertConnection(sql, { columns: { status: 'active' } });
  const parked = await insertConnection(sql, { columns: { status: 'reauth_required' } });
  for (const connectionId of [id, parked.id]) {
    await sql`
      INSERT INTO unreadable_items (connection_id, external_event_id, reason)
      VALUES (${connectionId}, 'one', 'no_end'), (${connectionId}, 'two', 'no_end')`;
  }
  const { doubtful } = await readFleetState(database.db);
  expect(doubtful).toEqual([
    { calendarProvider: 'google', count: 1 },
    { calendarProvider: 'microsoft', count: 0 },
  ]);
});
