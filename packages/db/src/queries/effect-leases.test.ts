import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertConnection, type TestDatabase, untilSomebodyWaits } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../client.ts';
import { acceptBookingIntent } from './booking-intents.ts';
import { claimEffect, extendEffectLease, noteCreation } from './effect-leases.ts';
import { recordEffectSuccess } from './effect-results.ts';
import { findKnownEffects } from './known-effects.ts';
import { LeaseLostError } from './sync-leases.ts';

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
  return { bookingId, connectionId, providerId };
}
const claim = (db: Database, target: Awaited<ReturnType<typeof accept>>, owner: string) =>
  claimEffect(db, { ...target, owner, leaseMs: 20_000 });

const written = (target: Awaited<ReturnType<typeof accept>>, token: number, externalEventId = randomUUID()) => ({
  ...target,
  token,
  appliedVersion: 1,
  inspected: 0,
  externalEventId,
  deletedEventId: null,
  etag: '"1"',
  generation: 0,
  writtenStart: new Date('2026-11-24T09:00:00Z'),
  writtenEnd: new Date('2026-11-24T10:00:00Z'),
  mapping: {
    providerId: target.providerId,
    calendarProvider: 'google' as const,
    icalUid: 'uid',
    startAt: new Date('2026-11-24T09:00:00Z'),
    endAt: new Date('2026-11-24T10:00:00Z'),
    checksum: 'c',
    status: 'CREATED' as const,
  },
});
const rowsOf = (connectionId: string) => database.sql`
  SELECT booking_id, external_event_id, is_busy, sync_status FROM external_calendar_events
   WHERE connection_id = ${connectionId}`;

test('[O-3] a worker that sleeps past its lease keeps its own token, and nothing that it records is taken', async () => {
  const target = await accept();
  const sleeper = await claim(database.db, target, 'sleeper');
  await database.sql`UPDATE booking_effects SET lease_until = now() WHERE booking_id = ${target.bookingId}`;
  const awake = await claim(database.db, target, 'awake');
  const token = sleeper?.token ?? 0;
  expect(awake?.token).toBe(token + 1);
  await expect(recordEffectSuccess(database.db, written(target, token))).rejects.toBeInstanceOf(LeaseLostError);
  expect(await rowsOf(target.connectionId)).toHaveLength(0);
  const [effect] =
    await database.sql`SELECT applied_version::int FROM booking_effects WHERE booking_id = ${target.bookingId}`;
  expect(effect).toEqual({ applied_version: 0 });
});

test('[O-1] a renewal that comes behind the record does not keep the next version from being written', async () => {
  const target = await accept();
  const done = await claim(database.db, target, 'me');
  const lease = { ...target, token: done?.token ?? 0, leaseMs: 20_000 };
  await recordEffectSuccess(database.db, written(target, lease.token));
  await extendEffectLease(database.db, lease);
  await database.sql`UPDATE booking_effects SET version = 2 WHERE booking_id = ${target.bookingId}`;
  expect(await claim(database.db, target, 'me')).toMatchObject({ token: lease.token + 1 });
});

test('[O-3] a token of an effect’s former life is worth nothing once the effect was made again', async () => {
  const target = await accept();
  const former = await claim(database.db, target, 'of the account before');
  await database.sql`DELETE FROM booking_effects WHERE booking_id = ${target.bookingId}`;
  await database.sql`
    INSERT INTO booking_effects (booking_id, connection_id, version) VALUES (${target.bookingId}, ${target.connectionId}, 1)`;
  const present = await claim(database.db, target, 'me');
  expect(present?.token).toBeGreaterThan(former?.token ?? Number.POSITIVE_INFINITY);
  await expect(recordEffectSuccess(database.db, written(target, former?.token ?? 0))).rejects.toBeInstanceOf(
    LeaseLostError,
  );
});

test('[O-3] a claim that waited while a newer version was accepted writes that version', async () => {
  const target = await accept();
  let claiming: ReturnType<typeof claim> | undefined;
  await database.sql.begin(async (tx) => {
    await tx`UPDATE booking_effects SET version = 2 WHERE booking_id = ${target.bookingId}`;
    await tx`UPDATE booking_intents SET version = 2, state = 'cancelled' WHERE booking_id = ${target.bookingId}`;
    claiming = claim(database.db, target, 'me');
    await untilSomebodyWaits(database.sql);
  });
  expect(await claiming).toMatchObject({ effect: { version: 2 }, desired: { version: 2, state: 'cancelled' } });
});

test('[O-1] what is recorded is effect and mapping together, over an echo that was read before it', async () => {
  for (const isEchoThere of [false, true]) {
    const target = await accept();
    const eventId = randomUUID();
    if (isEchoThere) {
      await database.sql`
        INSERT INTO external_calendar_events
               (connection_id, provider_id, calendar_provider, external_event_id, start_time, end_time, is_busy, checksum)
        VALUES (${target.connectionId}, ${target.providerId}, 'google', ${eventId}, now(), now() + interval '1 hour', true, 'x')`;
    }
    const claimed = await claim(database.db, target, 'me');
    const recorded = await recordEffectSuccess(database.db, written(target, claimed?.token ?? 0, eventId));
    expect(recorded).toEqual({ workAgain: false, recordedAt: expect.any(Date) });
    expect(await rowsOf(target.connectionId)).toEqual([
      { booking_id: target.bookingId, external_event_id: eventId, is_busy: true, sync_status: 'CREATED' },
    ]);
    expect(await claim(database.db, target, 'me')).toBeNull();
  }
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
