import { createFakeCalendar, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type BookingStage, openBookingStage } from '../../test/booking-stage.ts';

let database: TestDatabase;
let stage: BookingStage;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  const connection = await insertConnection(database.sql);
  stage = openBookingStage(database, connection, { startsAt: (version) => at(8 + version) });
});

const at = (hour: number) => new Date(Date.UTC(2026, 10, 24, hour));
const changes = () => database.sql`
  SELECT kind, start_time FROM external_changes WHERE booking_id = ${stage.bookingId} ORDER BY observed_at`;

describe("what the owner does to a booking's event", () => {
  const eventId = () => stage.calendar.live()[0]?.eventId ?? '';

  test('a move is recorded once per reading, twice when moved twice, and the next version is written again', async () => {
    await stage.announce(1);
    await stage.converge();
    stage.calendar.move(eventId(), at(15), at(16));
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ action: 'inspected', externalChange: { kind: 'moved' } });
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: null });
    stage.calendar.move(eventId(), at(17), at(18));
    await stage.inspect();
    await stage.converge();
    expect(await changes()).toHaveLength(2);
    await stage.announce(2);
    await stage.converge();
    expect(stage.calendar.live()).toMatchObject([{ title: 'v2', startAt: at(10) }]);
  });

  test('a deletion proven by a read is recorded, not fought over, and the next version is a new event', async () => {
    await stage.announce(1);
    await stage.converge();
    stage.calendar.remove(eventId());
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: { kind: 'deleted' } });
    expect(stage.calendar.live()).toEqual([]);
    await stage.announce(2);
    await stage.converge();
    expect(stage.calendar.live()).toMatchObject([{ title: 'v2' }]);
  });

  test('an event that is as it was written is no change, however the feed looked', async () => {
    await stage.announce(1);
    await stage.converge();
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: null });
    expect(await changes()).toHaveLength(0);
  });

  test('a read that fails proves nothing', async () => {
    await stage.announce(1);
    await stage.converge();
    await stage.inspect();
    stage.calendar.fault = () => ({ refuse: { kind: 'transient', reason: 'timeout' } });
    await stage.converge();
    expect(await changes()).toHaveLength(0);
    stage.calendar.fault = () => null;
    await stage.wake();
    expect(await stage.converge()).toMatchObject({ action: 'inspected', externalChange: null });
  });

  test('[O-1] a read that fails does not make a written booking look unwritten', async () => {
    await stage.announce(1);
    await stage.converge();
    await stage.inspect();
    stage.calendar.fault = () => ({ refuse: { kind: 'transient', reason: 'http_503' } });
    expect(await stage.converge()).toMatchObject({ outcome: 'failed' });
    expect(await stage.effect()).toMatchObject({ error_count: 1 });
    expect(await stage.mapping()).toMatchObject({ sync_status: 'CREATED', last_error: null });
  });

  test('a deletion that is taken back before anybody heard of it is no change', async () => {
    await stage.announce(1);
    await stage.converge();
    const binned = eventId();
    stage.calendar.remove(binned);
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: { kind: 'deleted' } });
    Object.assign(stage.calendar.events.get(binned) ?? {}, { isDeleted: false });
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: null });
    const [told] = await database.sql`SELECT withdrawn_at FROM external_changes WHERE booking_id = ${stage.bookingId}`;
    expect(told?.withdrawn_at).not.toBeNull();
    expect(await stage.effect()).toMatchObject({ external_event_id: binned });
  });

  test('[O-1] a second deletion, after the first was told and taken back, is told too', async () => {
    await stage.announce(1);
    await stage.converge();
    const binned = eventId();
    const deleteAndRead = async () => {
      stage.calendar.remove(binned);
      await stage.inspect();
      return stage.converge();
    };
    expect(await deleteAndRead()).toMatchObject({ externalChange: { kind: 'deleted' } });
    await database.sql`UPDATE external_changes SET published_at = now() WHERE booking_id = ${stage.bookingId}`;
    Object.assign(stage.calendar.events.get(binned) ?? {}, { isDeleted: false });
    await stage.inspect();
    await stage.converge();
    expect(await deleteAndRead()).toMatchObject({ externalChange: { kind: 'deleted' } });
    expect((await changes()).map(({ kind }) => kind)).toEqual(['deleted', 'moved', 'deleted']);
  });

  test('[O-1] a deletion in the calendar of another account is told, although the event before it had the same number', async () => {
    await stage.announce(1);
    await stage.converge();
    stage.calendar.remove(eventId());
    await stage.inspect();
    await stage.converge();
    await database.sql`DELETE FROM booking_effects WHERE booking_id = ${stage.bookingId}`;
    await database.sql`
      INSERT INTO booking_effects (booking_id, connection_id, version)
      VALUES (${stage.bookingId}, ${stage.connectionId}, 1)`;
    stage.calendar = createFakeCalendar();
    await stage.converge();
    stage.calendar.remove(eventId());
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: { kind: 'deleted' } });
  });

  test('[O-3] a read that was asked for before a write is still due after it: strays may lie beside what was written', async () => {
    await stage.announce(1);
    await stage.converge();
    await stage.announce(2, 'cancelled');
    await stage.converge();
    const [late] = stage.calendar.events.values();
    await stage.announce(3);
    Object.assign(late ?? {}, { isDeleted: false });
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ action: 'created', workAgain: true });
    expect(stage.calendar.live()).toHaveLength(2);
    expect(await stage.converge()).toMatchObject({ action: 'inspected', workAgain: false });
    expect(stage.calendar.live()).toMatchObject([{ title: 'v3' }]);
  });

  test('[O-3] what the owner takes out of the bin again is the event of the next version too', async () => {
    await stage.announce(1);
    await stage.converge();
    const binned = eventId();
    stage.calendar.remove(binned);
    await stage.inspect();
    await stage.converge();
    await database.sql`UPDATE external_changes SET published_at = now() WHERE booking_id = ${stage.bookingId}`;
    Object.assign(stage.calendar.events.get(binned) ?? {}, { isDeleted: false });
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: { kind: 'moved', startTime: at(9) } });
    await stage.announce(2);
    expect(await stage.converge()).toMatchObject({ action: 'updated' });
    expect(stage.calendar.live()).toMatchObject([{ eventId: binned, title: 'v2' }]);
  });

  test('a late event of an older version, after the owner deleted the newest, is taken away', async () => {
    await stage.announce(1);
    await stage.converge();
    const [stray] = [...stage.calendar.events.values()].map((event) => ({ ...event }));
    await stage.announce(2);
    await stage.converge();
    stage.calendar.remove(eventId());
    await stage.inspect();
    await stage.converge();
    Object.assign([...stage.calendar.events.values()][0] ?? {}, stray);
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: null });
    expect(stage.calendar.live()).toEqual([]);
  });

  test('a late event of a cancelled booking is taken away', async () => {
    await stage.announce(1);
    await stage.converge();
    const stray = stage.calendar.live()[0];
    await stage.announce(2, 'cancelled');
    await stage.converge();
    Object.assign(stray ?? {}, { isDeleted: false });
    await stage.inspect();
    await stage.converge();
    expect(stage.calendar.live()).toEqual([]);
  });
});
