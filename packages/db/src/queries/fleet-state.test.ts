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
