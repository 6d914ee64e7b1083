/** What was not read is not free: listings that fail, expire or lie, at every page, over HTTP. */
import { randomUUID } from 'node:crypto';
import { answerAvailability } from '@bookiji/sync';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type SandboxStage, startStage } from '../../../packages/providers/test/conformance/sandboxed-calendar.ts';
import {
  HOUR_MS,
  hourText,
  LISTING,
  NOW,
  openSyncedCalendar,
  type SyncedCalendar,
  spanText,
} from './synced-calendar.ts';

const EVENTS = 20;
/** Two hours apart from each other, an hour long. */
const slotOf = (index: number): [number, number] => [5 + 2 * index, 6 + 2 * index];
const spanOf = (index: number) => spanText(...(slotOf(index).map(hourText) as [string, string]));

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

describe.each(['google', 'microsoft'] as const)('a listing at %s', (provider) => {
  let calendar: SyncedCalendar;
  let ids: string[];
  beforeEach(async () => {
    calendar = await openSyncedCalendar(stage, database, provider);
    await calendar.order('DELETE', '/faults');
    await calendar.order('PUT', '/settings', { google: { max_page_size: 5 }, microsoft: { max_page_size: 5 } });
    const wish = { count: EVENTS, from: hourText(5), spacing_minutes: 120, duration_minutes: 60 };
    await calendar.own('POST', '/fill', wish);
    const { events } = await calendar.own<{ events: { id: string }[] }>('GET');
    ids = events.map(({ id }) => id);
    expect(await calendar.sync()).toMatchObject({ outcome: 'synced', mode: 'full' });
  });

  const all = () => Array.from({ length: EVENTS }, (_, index) => spanOf(index));
  const held = async () => {
    const { syncCursor, applied, lastSyncedAt } = await calendar.row();
    return { intervals: await calendar.intervals(), syncCursor, applied, lastSyncedAt };
  };
  const dropCursor = () =>
    database.sql`UPDATE external_calendar_connections SET sync_cursor = NULL WHERE id = ${calendar.connection.id}`;
  const remove = (id = '') => calendar.own('DELETE', `/${encodeURIComponent(id)}`);
  const move = (id = '', hour = 0) =>
    calendar.own('PATCH', `/${encodeURIComponent(id)}`, { start: hourText(hour), end: hourText(hour + 1) });
  const pagesRead = async () => {
    const outcome = await calendar.sync();
    if (outcome.outcome !== 'synced') throw new Error(outcome.outcome);
    return outcome.pages;
  };

  const FAULTS = [
    { status: 429, retry_after: 1 },
    { status: 404 },
    { status: 401 },
    { status: 500 },
    { status: 200, body: '{"value":[', content_type: 'application/json' },
    { reset: true },
  ];

  test('[I-5] that fails on any of its pages, in any way, leaves every interval, the cursor and the counters as they were', async () => {
    await dropCursor();
    const pages = await pagesRead();
    expect(pages).toBeGreaterThanOrEqual(4);
    for (let page = 1; page <= pages; page += 1) {
      for (const fault of FAULTS) {
        await dropCursor();
        const before = await held();
        await calendar.strike({ operation: LISTING[provider], page, ...fault });
        const { outcome } = await calendar.sync();
        expect({ page, ...fault, outcome, ...(await held()) }).toEqual({
          page,
          ...fault,
          outcome: 'failed',
          ...before,
        });
        await calendar.order('DELETE', '/faults');
      }
    }
    const { errorCount, lastError } = await calendar.row();
    expect(errorCount).toBeGreaterThan(0);
    expect(lastError).toMatchObject({ kind: expect.any(String) });
    expect(await calendar.sync()).toMatchObject({ outcome: 'synced' });
    expect((await held()).intervals).toEqual(all());
    expect(await calendar.row()).toMatchObject({
      errorCount: 0,
      lastError: null,
      backoffUntil: null,
      syncNeeded: false,
    });
  }, 180_000);

  test('[I-5] of changes that fails on any page applies none of them, and the next applies all', async () => {
    for (const id of ids.slice(0, 12)) await remove(id);
    const before = await held();
    for (const page of [1, 2, 3]) {
      await calendar.strike({ operation: LISTING[provider], page, status: 503 });
      expect((await calendar.sync()).outcome).toBe('failed');
      expect(await held()).toEqual(before);
    }
    expect(await calendar.sync()).toMatchObject({ outcome: 'synced', mode: 'incremental' });
    expect(await calendar.intervals()).toEqual(all().slice(12));
  });

  test('[I-1] of changes tells no more than what changed', async () => {
    await move(ids[3], 100);
    expect(await calendar.sync()).toMatchObject({ mode: 'incremental', pages: 1, putCount: 1, droppedCount: 0 });
    await remove(ids[4]);
    expect(await calendar.sync()).toMatchObject({ mode: 'incremental', pages: 1, putCount: 0, droppedCount: 1 });
    expect(await calendar.sync()).toMatchObject({ mode: 'incremental', putCount: 0, droppedCount: 0 });
  });

  test('[I-2] of everything, read again, writes no row a second time', async () => {
    const rows = () => database.sql`
      SELECT id, external_event_id, checksum, updated_at FROM external_calendar_events
       WHERE connection_id = ${calendar.connection.id} ORDER BY id`;
    const before = await rows();
    await dropCursor();
    expect(await calendar.sync()).toMatchObject({ mode: 'full', putCount: 0, droppedCount: 0 });
    expect(await rows()).toEqual(before);
  });

  /** What a caller sees all the while: the fewest busy intervals, and whether it was ever told that it can rely on more. */
  async function watchAvailability<T>(work: Promise<T>): Promise<{ result: T; fewest: number; answers: number }> {
    const slots = [{ startAt: new Date(NOW), endAt: new Date(NOW + 100 * HOUR_MS) }];
    const question = { providerId: calendar.connection.providerId, slots, maxAgeSeconds: 900 };
    let [isOver, fewest, answers] = [false, Number.POSITIVE_INFINITY, 0];
    const watch = async () => {
      while (!isOver) {
        const { busy } = await answerAvailability(database.db, question, async () => []);
        fewest = Math.min(fewest, busy.length);
        answers += 1;
      }
    };
    const watching = watch();
    const result = await work.finally(() => {
      isOver = true;
    });
    await watching;
    return { result, fewest, answers };
  }

  test.each([
    ['at its first page', 1],
    ['at a middle page', 2],
  ])(
    '[I-1] whose cursor expires %s is read afresh: what was deleted in between vanishes, and nobody ever sees less than remains',
    async (_, page) => {
      const reason = provider === 'google' ? 'fullSyncRequired' : 'SyncStateNotFound';
      for (const id of ids.slice(2, 14))
        await calendar.own('PATCH', `/${encodeURIComponent(id)}`, { title: 'New name' });
      await remove(ids[0]);
      await remove(ids[1]);
      await calendar.strike({ operation: LISTING[provider], page, status: 410, reason });
      const { result, fewest, answers } = await watchAvailability(calendar.sync());
      expect(result).toMatchObject({ outcome: 'synced', mode: 'full' });
      expect(await calendar.intervals()).toEqual(all().slice(2));
      expect(answers).toBeGreaterThan(0);
      expect(fewest).toBeGreaterThanOrEqual(EVENTS - 2);
    },
  );

  test('[I-1] whose cursors all ended at the calendar provider is read afresh as well', async () => {
    await remove(ids[0]);
    await calendar.order('POST', '/cursors/expire', { email: calendar.email });
    expect(await calendar.sync()).toMatchObject({ outcome: 'synced', mode: 'full' });
    expect(await calendar.intervals()).toEqual(all().slice(1));
  });

  test('[I-1] that expires again while it is read afresh keeps the old intervals until one is whole', async () => {
    const reason = provider === 'google' ? 'fullSyncRequired' : 'SyncStateNotFound';
    await calendar.order('POST', '/cursors/expire', { email: calendar.email });
    await calendar.strike({ operation: LISTING[provider], page: 3, status: 410, reason });
    expect((await calendar.sync()).outcome).toBe('failed');
    expect((await held()).intervals).toEqual(all());
    expect(await calendar.sync()).toMatchObject({ outcome: 'synced', mode: 'full' });
  });

  describe('[I-5] with an event that cannot be read', () => {
    const garble = (id = '', more: object = {}) =>
      calendar.own('PATCH', `/${encodeURIComponent(id)}`, { extras: { end: null }, ...more });
    const mend = (id = '') => calendar.own('PATCH', `/${encodeURIComponent(id)}`, { extras: {} });
    const evidence = async () => {
      const slots = [{ startAt: new Date(NOW), endAt: new Date(NOW + HOUR_MS) }];
      const question = { providerId: calendar.connection.providerId, slots, maxAgeSeconds: 900 };
      const { trusted, evidence: all } = await answerAvailability(database.db, question, async () => []);
      return { trusted, reason: all[0]?.reason };
    };
    const doubtful = { trusted: false, reason: 'unreadable' };

    test('keeps what was known of it, in increments and when everything is read afresh, and is not trusted', async () => {
      await garble(ids[3]);
      await remove(ids[4]);
      expect(await calendar.sync()).toMatchObject({ mode: 'incremental', unreadableCount: 1, droppedCount: 1 });
      const known = all().filter((_, index) => index !== 4);
      expect(await calendar.intervals()).toEqual(known);
      expect(await evidence()).toEqual(doubtful);
      await dropCursor();
      expect(await calendar.sync()).toMatchObject({ mode: 'full', unreadableCount: 1, droppedCount: 0 });
      expect(await calendar.intervals()).toEqual(known);
      expect(await evidence()).toEqual(doubtful);
      // What the audit cannot read either is no difference.
      expect(await calendar.audit()).toEqual([]);
      // An increment that tells of others changes nothing about it.
      await move(ids[5], 90);
      expect(await calendar.sync()).toMatchObject({ mode: 'incremental', putCount: 1 });
      expect(await evidence()).toEqual(doubtful);
      await mend(ids[3]);
      expect(await calendar.sync()).toMatchObject({ mode: 'incremental', unreadableCount: 0 });
      expect(await evidence()).toEqual({ trusted: true, reason: 'fresh' });
    });

    test('is trusted again once it is gone, and all along where it leaves its owner free', async () => {
      await garble(ids[3]);
      await calendar.sync();
      expect(await evidence()).toEqual(doubtful);
      await remove(ids[3]);
      await calendar.sync();
      expect(await evidence()).toEqual({ trusted: true, reason: 'fresh' });
      await garble(ids[6], { show_as: 'free' });
      expect(await calendar.sync()).toMatchObject({ unreadableCount: 0, droppedCount: 1 });
      expect(await evidence()).toEqual({ trusted: true, reason: 'fresh' });
    });

    test('stays a doubt while only another occurrence of its series changes', async () => {
      const daily = { recurrence: ['RRULE:FREQ=DAILY;COUNT=5'], time_zone: 'UTC' };
      await calendar.own('POST', '', { title: 'Daily', start: hourText(60), end: hourText(61), ...daily });
      await calendar.sync();
      const span = `?from=${hourText(60)}&to=${hourText(200)}`;
      const { events } = await calendar.own<{ events: { id: string; start_at: string }[] }>('GET', span);
      const [, second, third] = events.filter((one) => (Date.parse(one.start_at) - NOW) / HOUR_MS >= 60);
      await garble(second?.id);
      await calendar.sync();
      expect(await evidence()).toEqual(doubtful);
      await move(third?.id, 150);
      expect(await calendar.sync()).toMatchObject({ outcome: 'synced', mode: 'incremental' });
      expect(await evidence()).toEqual(doubtful);
      expect(await calendar.intervals()).toContain(spanText(hourText(84), hourText(85)));
    });

    test('that is a booking’s is read by its id, and leaves its owner’s calendar trusted', async () => {
      const bookingId = randomUUID();
      await calendar.book({ bookingId, version: 1, hour: 48 });
      const effect = async () => (await database.sql`SELECT * FROM booking_effects WHERE booking_id = ${bookingId}`)[0];
      await garble((await effect())?.external_event_id);
      expect(await calendar.sync()).toMatchObject({ outcome: 'synced', unreadableCount: 1 });
      expect(await evidence()).toEqual({ trusted: true, reason: 'fresh' });
      const { inspect_requested: asked, inspected } = (await effect()) ?? {};
      expect(Number(asked)).toBeGreaterThan(Number(inspected));
      await calendar.settle();
      expect((await effect())?.last_error).toMatchObject({ reason: 'no_end' });
    });

    test('from the first is never free, though nothing was known of it', async () => {
      const other = await openSyncedCalendar(stage, database, provider);
      await other.add(5, 6, { extras: { end: null } });
      await other.add(7, 8);
      expect(await other.sync()).toMatchObject({ outcome: 'synced', unreadableCount: 1, putCount: 1 });
      calendar = other;
      expect(await evidence()).toEqual(doubtful);
    });
  });

  test('[O-3] that is empty or half, as if that were all, costs no booking', async () => {
    const booking = {
      connection_id: calendar.connection.id,
      provider_id: calendar.connection.providerId,
      calendar_provider: provider,
      external_event_id: 'the-event-of-a-booking',
      start_time: hourText(1),
      end_time: hourText(2),
      is_busy: true,
      checksum: 'x',
      booking_id: '5b7b8f1e-6f0a-4c3e-9b55-000000000001',
      sync_status: 'CREATED',
    };
    await database.sql`INSERT INTO external_calendar_events ${database.sql(booking)}`;
    const mapping = () => database.sql`
      SELECT * FROM external_calendar_events WHERE connection_id = ${calendar.connection.id} AND booking_id IS NOT NULL`;
    const before = await mapping();
    for (const keep_share of [0, 0.5]) {
      await dropCursor();
      await calendar.strike({ operation: LISTING[provider], keep_share, times: 20 });
      expect((await calendar.sync()).outcome).toBe('synced');
      expect(await mapping()).toEqual(before);
      await calendar.order('DELETE', '/faults');
    }
  });
});
