import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../client.ts';
import { claimEffect, findKnownEffects, noteCreation } from './booking-effects.ts';
import { acceptBookingIntent } from './booking-intents.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function accept() {
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
  return { bookingId, connectionId };
}
const claim = (db: Database, target: Awaited<ReturnType<typeof accept>>, owner: string) =>
  claimEffect(db, { ...target, owner, leaseMs: 20_000 });

test('[O-3] a worker that slept between taking the lease and reading it does not take the next holder’s token', async () => {
  const target = await accept();
  let awake: Awaited<ReturnType<typeof claimEffect>> = null;
  const sleepsAfterTaking = new Proxy(database.db, {
    get(real, name) {
      if (name !== 'execute') return Reflect.get(real, name);
      return async (...args: Parameters<Database['execute']>) => {
        const taken = await real.execute(...args);
        await database.sql`UPDATE booking_effects SET lease_until = now() WHERE booking_id = ${target.bookingId}`;
        awake = await claim(database.db, target, 'awake');
        return taken;
      };
    },
  });
  expect(await claim(sleepsAfterTaking, target, 'sleeper')).toBeNull();
  expect(awake).toMatchObject({ token: 2 });
});

test('[O-3] an event that a late writer created under an earlier key is known by that key alone, for Graph shows no more', async () => {
  const target = await accept();
  const { connectionId, bookingId } = target;
  const claimed = await claim(database.db, target, 'me');
  const note = (generation: number) =>
    noteCreation(
      database.db,
      { ...target, token: claimed?.token ?? 0 },
      { generation, creationKey: `key-${generation}` },
    );
  const find = (...keys: string[]) => findKnownEffects(database.db, connectionId, ['made-by-graph'], keys, []);
  await note(0);
  await note(0);
  expect(await find('key-0')).toMatchObject([{ bookingId, creationKey: 'key-0', formerKeys: [] }]);
  for (const generation of [1, 2, 3, 4, 5, 6, 7]) await note(generation);
  const formerKeys = ['key-6', 'key-5', 'key-4', 'key-3', 'key-2', 'key-1'];
  expect(await find('key-1')).toMatchObject([
    { bookingId, generation: 7, creationKey: 'key-7', formerKeys, leaseHeld: true, desiredStart: expect.any(Date) },
  ]);
  expect(await find('key-0', 'another')).toEqual([]);
  expect(await find()).toEqual([]);
});
