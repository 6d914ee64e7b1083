import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { acceptBookingIntent } from './booking-intents.ts';
import { pruneBookings } from './booking-retention.ts';
import { claimEffect } from './effect-leases.ts';
import { recordEffectSuccess } from './effect-results.ts';

const DAY_SECONDS = 86_400;
const DAY_MS = DAY_SECONDS * 1_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** A booking announced a hundred days ago. */
async function accept(over: { state?: 'live' | 'cancelled'; endsInDays: number }) {
  const { id: connectionId, providerId } = await insertConnection(database.sql);
  const bookingId = randomUUID();
  const endAt = new Date(Date.now() + over.endsInDays * DAY_MS);
  const startAt = new Date(endAt.getTime() - 3_600_000);
  await acceptBookingIntent(database.db, {
    eventId: randomUUID(),
    bookingId,
    providerId,
    version: 1,
    state: over.state ?? 'live',
    startAt,
    endAt,
    details: { title: 't', time_zone: 'UTC' },
  });
  await database.sql`UPDATE booking_intents SET received_at = now() - interval '100 days' WHERE booking_id = ${bookingId}`;
  return { bookingId, connectionId, providerId, startAt, endAt };
}

async function write(booking: Awaited<ReturnType<typeof accept>>): Promise<void> {
  const { bookingId, connectionId, providerId, startAt, endAt } = booking;
  const claim = await claimEffect(database.db, { bookingId, connectionId, owner: 'test', leaseMs: 60_000 });
  if (claim === null) throw new Error('the booking was not to be claimed');
  const externalEventId = randomUUID();
  await recordEffectSuccess(database.db, {
    bookingId,
    connectionId,
    token: claim.token,
    appliedVersion: 1,
    inspected: 0,
    externalEventId,
    deletedEventId: null,
    etag: null,
    generation: 0,
    writtenStart: startAt,
    writtenEnd: endAt,
    mapping: {
      providerId,
      calendarProvider: 'google',
      icalUid: 'uid',
      startAt,
      endAt,
      checksum: 'c',
      status: 'CREATED',
    },
  });
}

const leftOf = async ({ bookingId }: { bookingId: string }) => {
  const [row] = await database.sql`
    SELECT (SELECT count(*)::int FROM booking_intents WHERE booking_id = ${bookingId}) AS intents,
           (SELECT count(*)::int FROM booking_effects WHERE booking_id = ${bookingId}) AS effects,
           (SELECT count(*)::int FROM external_calendar_events WHERE booking_id = ${bookingId}) AS mappings`;
  return row;
};
const NOTHING = { intents: 0, effects: 0, mappings: 0 };
const ALL = { intents: 1, effects: 1, mappings: 1 };

test('a booking that ended or was cancelled long ago is forgotten with all that hangs on it, one ahead is not', async () => {
  const ended = await accept({ endsInDays: -95 });
  const cancelled = await accept({ state: 'cancelled', endsInDays: 5 });
  const ahead = await accept({ endsInDays: 5 });
  const recent = await accept({ endsInDays: -5 });
  for (const booking of [ended, cancelled, ahead, recent]) await write(booking);
  expect(await pruneBookings(database.db, 90 * DAY_SECONDS)).toBe(2);
  expect(await Promise.all([ended, cancelled].map(leftOf))).toEqual([NOTHING, NOTHING]);
  expect(await Promise.all([ahead, recent].map(leftOf))).toEqual([ALL, ALL]);
});

test('a booking that was cancelled while no calendar was connected is known until it would have ended', async () => {
  const [ahead, over] = [
    await accept({ state: 'cancelled', endsInDays: 5 }),
    await accept({ state: 'cancelled', endsInDays: -95 }),
  ];
  for (const { connectionId } of [ahead, over])
    await database.sql`DELETE FROM external_calendar_connections WHERE id = ${connectionId}`;
  expect(await pruneBookings(database.db, 90 * DAY_SECONDS)).toBe(1);
  expect([await leftOf(ahead), await leftOf(over)]).toEqual([{ ...NOTHING, intents: 1 }, NOTHING]);
});

test('a booking that is not yet in its calendar, or whose change is not told, stays whatever its age', async () => {
  const unwritten = await accept({ state: 'cancelled', endsInDays: -95 });
  const untold = await accept({ endsInDays: -95 });
  await write(untold);
  await database.sql`
    INSERT INTO external_changes (kind, booking_id, provider_id, connection_id, booking_version, reading)
    VALUES ('moved', ${untold.bookingId}, ${untold.providerId}, ${untold.connectionId}, 1, 'r')`;
  expect(await pruneBookings(database.db, 90 * DAY_SECONDS)).toBe(0);
  await database.sql`UPDATE external_changes SET published_at = now() WHERE booking_id = ${untold.bookingId}`;
  expect(await pruneBookings(database.db, 90 * DAY_SECONDS)).toBe(1);
  expect(await leftOf(untold)).toEqual(NOTHING);
  expect(await leftOf(unwritten)).toEqual({ ...ALL, mappings: 0 });
});
