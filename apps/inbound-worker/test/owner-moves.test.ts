/** What an owner does to a booking's event, from the feed to what the booking service is told and answers, over HTTP. */
import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type SandboxStage, startStage } from '../../../packages/providers/test/conformance/sandboxed-calendar.ts';
import { HOUR_MS, hourText, NOW, openSyncedCalendar, type SyncedCalendar } from './synced-calendar.ts';

let database: TestDatabase;
let stage: SandboxStage;
beforeAll(async () => {
  database = await createTestDatabase();
  stage = await startStage();
});
afterAll(async () => {
  await stage?.close();
  await database?.drop();
});

describe.each(['google', 'microsoft'] as const)('[O-1] [O-3] a booking’s event at %s', (provider) => {
  let calendar: SyncedCalendar;
  let bookingId: string;
  let path: string;
  beforeEach(async () => {
    calendar = await openSyncedCalendar(stage, database, provider);
    bookingId = randomUUID();
    await book(1, 48);
    const [effect] = await database.sql`SELECT external_event_id FROM booking_effects WHERE booking_id = ${bookingId}`;
    path = `/${encodeURIComponent(effect?.external_event_id)}`;
  });

  const book = (version: number, hour: number) => calendar.book({ bookingId, version, hour });

  const told = async () =>
    (
      await database.sql`
        SELECT kind, start_time, booking_version::int AS version, withdrawn_at IS NOT NULL AS withdrawn
          FROM external_changes WHERE booking_id = ${bookingId} ORDER BY observed_at`
    ).map((row) => ({
      ...row,
      start_time: row.start_time === null ? null : (Date.parse(row.start_time) - NOW) / HOUR_MS,
    }));
  const moved = (hour: number, version: number) => ({ kind: 'moved', start_time: hour, version, withdrawn: false });
  const shownAt = async () => {
    const { events } = await calendar.own<{ events: { start_at: string; status: string }[] }>('GET');
    return events
      .filter(({ status }) => status !== 'cancelled')
      .map(({ start_at: at }) => (Date.parse(at) - NOW) / HOUR_MS);
  };
  const writes = async () =>
    (
      await calendar.order<{ entries: { operation: string }[] }>(
        'GET',
        `/history?calendar=${calendar.email}&author=client`,
      )
    ).entries.map(({ operation }) => operation);

  test('that is moved twice from outside takes its booking along both times, and no write of ours comes back as a move', async () => {
    for (const [version, hour] of [
      [2, 60],
      [3, 72],
    ] as const) {
      await calendar.own('PATCH', path, { start: hourText(hour), end: hourText(hour + 1) });
      await calendar.settle();
      expect((await told()).at(-1)).toEqual(moved(hour, version - 1));
      // As the booking service answers: the booking goes along, as a version of its own.
      await book(version, hour);
      expect(await shownAt()).toEqual([hour]);
    }
    expect(await told()).toEqual([moved(60, 1), moved(72, 2)]);
    expect(await writes()).toEqual(['create', 'update', 'update']);
    expect(await calendar.intervals()).toEqual([]);
  });

  test('that is moved out of the window, where the feed may call it removed, is moved and not deleted', async () => {
    await calendar.own('PATCH', path, { start: hourText(1_000), end: hourText(1_001) });
    await calendar.settle();
    expect(await told()).toEqual([moved(1_000, 1)]);
    expect(await shownAt()).toEqual([1_000]);
    expect(await writes()).toEqual(['create']);
  });

  test('that is deleted and taken out of the bin before anybody was told is as if nothing had happened', async () => {
    await calendar.own('DELETE', path);
    await calendar.settle();
    expect(await told()).toMatchObject([{ kind: 'deleted', withdrawn: false }]);
    await calendar.own('POST', `${path}/restore`);
    await calendar.settle();
    expect(await told()).toMatchObject([{ kind: 'deleted', withdrawn: true }]);
    expect(await writes()).toEqual(['create']);
    await book(2, 50);
    expect(await shownAt()).toEqual([50]);
    expect(await writes()).toEqual(['create', 'update']);
  });
});
