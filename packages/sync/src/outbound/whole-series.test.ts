/**
 * The owner made a booking's event repeat, and the calendar does not say which occurrence is still the booking's: whatever
 * becomes of the booking, the series is theirs.
 */
import { randomUUID } from 'node:crypto';
import { acceptBookingIntent } from '@bookiji/db';
import {
  type BuiltConnection,
  createFakeCalendar,
  createTestDatabase,
  type FakeCalendar,
  insertConnection,
  type TestDatabase,
} from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { convergeBooking } from './converge-booking.ts';

let database: TestDatabase;
let calendar: FakeCalendar;
let connection: BuiltConnection;
let bookingId: string;
let seriesId: string;

const never = new AbortController().signal;
const startAt = new Date(Math.ceil(Date.now() / 86_400_000) * 86_400_000);
const endAt = new Date(startAt.getTime() + 3_600_000);

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  calendar = createFakeCalendar();
  connection = await insertConnection(database.sql);
  bookingId = randomUUID();
  await announce(1);
  await converge();
  seriesId = calendar.live()[0]?.eventId ?? '';
  calendar.repeat(seriesId);
});

function announce(version: number, state: 'live' | 'cancelled' = 'live') {
  const details = { title: `v${version}`, time_zone: 'UTC' };
  const { providerId } = connection;
  return acceptBookingIntent(database.db, {
    ...{ eventId: randomUUID(), bookingId, providerId, version, state, startAt, endAt, details },
  });
}

function converge() {
  const deps = {
    ...{ db: database.db, openCalendar: () => calendar.port, owner: 'me', leaseMs: 20_000, random: () => 0 },
    backoff: { baseSeconds: 1, maxSeconds: 10 },
  };
  return convergeBooking(deps, { bookingId, connectionId: connection.id }, never);
}

async function inspect() {
  await database.sql`UPDATE booking_effects SET inspect_requested = inspect_requested + 1 WHERE booking_id = ${bookingId}`;
  return converge();
}

const series = () => calendar.events.get(seriesId);

describe("a booking's event that its owner made a series, of which no occurrence can be told to be the booking's", () => {
  test.each([
    ['at once', async () => undefined],
    ['after it was read', inspect],
  ])('[O-3] stays with its owner when the booking is cancelled %s', async (_, before) => {
    await before();
    await announce(2, 'cancelled');
    expect(await converge()).toMatchObject({ outcome: 'converged', action: 'none' });
    expect(series()).toMatchObject({ title: 'v1', isDeleted: false });
    const [mapping] = await database.sql`SELECT * FROM external_calendar_events WHERE booking_id = ${bookingId}`;
    expect(mapping).toMatchObject({ sync_status: 'CANCELLED', is_busy: false });
  });

  test.each([
    ['at once', async () => undefined],
    ['after it was read', inspect],
  ])('[O-3] is left as it is when the booking changes %s: the booking becomes a new event', async (_, before) => {
    await before();
    await announce(2);
    expect(await converge()).toMatchObject({ outcome: 'converged', action: 'created' });
    expect(series()).toMatchObject({ title: 'v1', isDeleted: false });
    expect(calendar.live().map(({ title }) => title)).toEqual(['v1', 'v2']);
    await announce(3, 'cancelled');
    expect(await converge()).toMatchObject({ action: 'deleted' });
    expect(calendar.live()).toMatchObject([{ eventId: seriesId }]);
  });

  test('[O-3] proves nothing when it is read: no change is told, and the record stays', async () => {
    const record = () => database.sql`
      SELECT external_event_id, etag, generation FROM booking_effects WHERE booking_id = ${bookingId}`;
    const before = await record();
    calendar.move(seriesId, endAt, new Date(endAt.getTime() + 3_600_000));
    expect(await inspect()).toMatchObject({ action: 'inspected', externalChange: null, workAgain: false });
    expect(await record()).toEqual(before);
  });

  test('[O-3] is not taken for the event that came out of the bin', async () => {
    calendar.remove(seriesId);
    expect(await inspect()).toMatchObject({ externalChange: { kind: 'deleted' } });
    Object.assign(series() ?? {}, { isDeleted: false });
    expect(await inspect()).toMatchObject({ externalChange: null });
    await announce(2, 'cancelled');
    await converge();
    expect(series()).toMatchObject({ isDeleted: false });
  });
});
