import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { hastenBookings } from './due-effects.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('[R-1] a person’s wish shortens the waits of bookings, except those that a calendar provider asked for', async () => {
  const { sql, db } = database;
  const connection = await insertConnection(sql);
  const waiting = async (lastError: object | null) => {
    const bookingId = randomUUID();
    await sql`
      INSERT INTO booking_intents (booking_id, provider_id, version, state, start_time, end_time, details, event_id)
      VALUES (${bookingId}, ${connection.providerId}, 1, 'live', now(), now() + interval '1 hour', '{}', ${randomUUID()})`;
    await sql`
      INSERT INTO booking_effects (booking_id, connection_id, version, next_attempt_at, last_error)
      VALUES (${bookingId}, ${connection.id}, 1, now() + interval '1 hour', ${lastError === null ? null : JSON.stringify(lastError)}::text::jsonb)`;
    return bookingId;
  };
  const [transient, limit] = [{ kind: 'transient' }, { kind: 'rate_limited' }];
  const hastened = [await waiting(null), await waiting(transient), await waiting(limit)];
  const limited = await waiting({ ...limit, retry_after: true });
  expect((await hastenBookings(db, connection.id)).sort()).toEqual(hastened.sort());
  await sql`UPDATE booking_effects SET next_attempt_at = now() WHERE booking_id = ${limited}`;
  expect(await hastenBookings(db, connection.id)).toContain(limited);
});
