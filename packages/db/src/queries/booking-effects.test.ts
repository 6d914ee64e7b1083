import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../client.ts';
import { claimEffect } from './booking-effects.ts';
import { acceptBookingIntent } from './booking-intents.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('[O-3] a worker that slept between taking the lease and reading it does not take the next holder’s token', async () => {
  const { id: connectionId, providerId } = await insertConnection(database.sql);
  const bookingId = randomUUID();
  await acceptBookingIntent(database.db, {
    eventId: randomUUID(),
    bookingId,
    providerId,
    version: 1,
    state: 'live',
    startAt: new Date('2026-11-24T09:00:00Z'),
    endAt: new Date('2026-11-24T10:00:00Z'),
    details: { title: 't', time_zone: 'UTC' },
  });
  const claim = (db: Database, owner: string) => claimEffect(db, { bookingId, connectionId, owner, leaseMs: 20_000 });
  let awake: Awaited<ReturnType<typeof claimEffect>> = null;
  const sleepsAfterTaking = new Proxy(database.db, {
    get(real, name) {
      if (name !== 'execute') return Reflect.get(real, name);
      return async (...args: Parameters<Database['execute']>) => {
        const taken = await real.execute(...args);
        await database.sql`UPDATE booking_effects SET lease_until = now() WHERE booking_id = ${bookingId}`;
        awake = await claim(database.db, 'awake');
        return taken;
      };
    },
  });
  expect(await claim(sleepsAfterTaking, 'sleeper')).toBeNull();
  expect(awake).toMatchObject({ token: 2 });
});
