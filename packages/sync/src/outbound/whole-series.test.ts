/**
 * The owner made a booking's event repeat, and the calendar does not say which occurrence is still the booking's: whatever
 * becomes of the booking, the series is theirs.
 */
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type BookingStage, HOUR_MS, openBookingStage } from '../../test/booking-stage.ts';

let database: TestDatabase;
let stage: BookingStage;
let seriesId: string;

const startAt = new Date(Math.ceil(Date.now() / 86_400_000) * 86_400_000);
const endAt = new Date(startAt.getTime() + HOUR_MS);

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  stage = openBookingStage(database, await insertConnection(database.sql), { startsAt: () => startAt });
  await stage.announce(1);
  await stage.converge();
  seriesId = stage.calendar.live()[0]?.eventId ?? '';
  stage.calendar.repeat(seriesId);
});

async function inspect() {
  await stage.inspect();
  return stage.converge();
}

const series = () => stage.calendar.events.get(seriesId);

describe("a booking's event that its owner made a series, of which no occurrence can be told to be the booking's", () => {
  test.each([
    ['at once', async () => undefined],
    ['after it was read', inspect],
  ])('[O-3] stays with its owner when the booking is cancelled %s', async (_, before) => {
    await before();
    await stage.announce(2, 'cancelled');
    expect(await stage.converge()).toMatchObject({ outcome: 'converged', action: 'none' });
    expect(series()).toMatchObject({ title: 'v1', isDeleted: false });
    expect(await stage.mapping()).toMatchObject({ sync_status: 'CANCELLED', is_busy: false });
  });

  test.each([
    ['at once', async () => undefined],
    ['after it was read', inspect],
  ])('[O-3] is left as it is when the booking changes %s: the booking becomes a new event', async (_, before) => {
    await before();
    await stage.announce(2);
    expect(await stage.converge()).toMatchObject({ outcome: 'converged', action: 'created' });
    expect(series()).toMatchObject({ title: 'v1', isDeleted: false });
    expect(stage.calendar.live().map(({ title }) => title)).toEqual(['v1', 'v2']);
    await stage.announce(3, 'cancelled');
    expect(await stage.converge()).toMatchObject({ action: 'deleted' });
    expect(stage.calendar.live()).toMatchObject([{ eventId: seriesId }]);
  });

  test('[O-3] proves nothing when it is read: no change is told, and the record stays', async () => {
    const record = () => database.sql`
      SELECT external_event_id, etag, generation FROM booking_effects WHERE booking_id = ${stage.bookingId}`;
    const before = await record();
    stage.calendar.move(seriesId, endAt, new Date(endAt.getTime() + 3_600_000));
    expect(await inspect()).toMatchObject({ action: 'inspected', externalChange: null, workAgain: false });
    expect(await record()).toEqual(before);
  });

  test('[O-3] is not taken for the event that came out of the bin', async () => {
    stage.calendar.remove(seriesId);
    expect(await inspect()).toMatchObject({ externalChange: { kind: 'deleted' } });
    Object.assign(series() ?? {}, { isDeleted: false });
    expect(await inspect()).toMatchObject({ externalChange: null });
    await stage.announce(2, 'cancelled');
    await stage.converge();
    expect(series()).toMatchObject({ isDeleted: false });
  });
});
