/** The migration of adoptions beside bookings that are accepted: neither may make the other fail. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createTestDatabase, insertConnection, type TestDatabase, untilSomebodyWaits } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const FILE = new URL('../../../migrations/0021_adoptions.sql', import.meta.url);

test('[M-1] a booking is accepted while adoptions are migrated down and up again', async () => {
  const { sql } = database;
  const [up = '', down = ''] = (await readFile(FILE, 'utf8')).split('-- Down Migration');
  const connection = await insertConnection(sql);
  for (const direction of [down, up]) {
    let migrating: Promise<unknown> | undefined;
    await sql.begin(async (tx) => {
      // In the order in which a booking is accepted.
      const bookingId = randomUUID();
      await tx`
        INSERT INTO booking_intents (booking_id, provider_id, version, state, start_time, end_time, details, event_id)
        VALUES (${bookingId}, ${connection.providerId}, 1, 'live', now(), now() + interval '1 hour', '{}', ${randomUUID()})`;
      migrating = sql.begin((other) => other.unsafe(direction));
      migrating.catch(() => undefined);
      await untilSomebodyWaits(database.sql);
      await tx`SELECT FROM external_calendar_connections WHERE id = ${connection.id} FOR KEY SHARE`;
      await tx`INSERT INTO booking_effects (booking_id, connection_id, version) VALUES (${bookingId}, ${connection.id}, 1)`;
    });
    await migrating;
  }
  expect(await sql`SELECT FROM booking_effects`).toHaveLength(2);
});
