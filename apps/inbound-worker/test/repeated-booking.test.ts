/** What becomes of a booking whose event its owner made repeat every week, over HTTP. */
import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type OwnEvent,
  type SandboxStage,
  startStage,
} from '../../../packages/providers/test/conformance/sandboxed-calendar.ts';
import { HOUR_MS, hourText, NOW, openSyncedCalendar, type SyncedCalendar, spanText } from './synced-calendar.ts';

const WEEK = 7 * 24;
/** Of the booking, in hours from now; the window is 30 days. */
const FIRST = 48;
const LATER = [FIRST + WEEK, FIRST + 2 * WEEK, FIRST + 3 * WEEK];

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

describe.each(['google', 'microsoft'] as const)(
  '[O-1] a booking at %s whose event its owner made repeat',
  (provider) => {
    let calendar: SyncedCalendar;
    let bookingId: string;
    let eventId: string;

    beforeEach(async () => {
      calendar = await openSyncedCalendar(stage, database, provider);
      bookingId = randomUUID();
      await calendar.sync();
      await book(1, FIRST);
      eventId = (await effect())?.external_event_id;
    });

    const book = (version: number, hour: number, state: 'live' | 'cancelled' = 'live') =>
      calendar.book({ bookingId, version, hour, state });

    const ownerChanges = (id: string, change: object) => calendar.own('PATCH', `/${encodeURIComponent(id)}`, change);
    const repeat = (more: object = {}) => ownerChanges(eventId, { recurrence: ['RRULE:FREQ=WEEKLY;COUNT=4'], ...more });
    const effect = async () => (await database.sql`SELECT * FROM booking_effects WHERE booking_id = ${bookingId}`)[0];
    const changes = async () =>
      (
        await database.sql`
      SELECT kind FROM external_changes WHERE booking_id = ${bookingId} AND withdrawn_at IS NULL ORDER BY observed_at`
      ).map(({ kind }) => kind);
    const shown = async () => {
      const span = `?from=${hourText(0)}&to=${hourText(29 * 24)}`;
      const { events } = await calendar.own<{ events: OwnEvent[] }>('GET', span);
      return events.map((event) => (Date.parse(event.start_at) - NOW) / HOUR_MS).sort((a, b) => a - b);
    };
    const spans = (hours: readonly number[]) => hours.map((hour) => spanText(hourText(hour), hourText(hour + 1)));
    /** Three looks: what is suspected, confirmed and put right would show by then. */
    async function expectNothingToPutRight(): Promise<void> {
      for (let look = 0; look < 3; look += 1) {
        expect(await calendar.audit()).toEqual([]);
        await calendar.settle();
      }
    }

    test('keeps the first week for itself; the later ones are the owner’s busy time, and nobody deletes them', async () => {
      await repeat();
      await calendar.settle();
      expect(await calendar.intervals()).toEqual(spans(LATER));
      expect((await effect())?.external_event_id).not.toBe(eventId);
      expect(await changes()).toEqual([]);
      await expectNothingToPutRight();
      expect(await shown()).toEqual([FIRST, ...LATER]);
      // The same after everything was read afresh.
      await database.sql`UPDATE external_calendar_connections SET sync_cursor = NULL WHERE id = ${calendar.connection.id}`;
      await calendar.settle();
      expect(await calendar.intervals()).toEqual(spans(LATER));
      await expectNothingToPutRight();
    });

    test('is known for what it is by the audit alone, when the feed said nothing', async () => {
      await database.sql`UPDATE external_calendar_connections SET sync_cursor = NULL WHERE id = ${calendar.connection.id}`;
      await repeat();
      await calendar.sync();
      await database.sql`UPDATE booking_effects SET inspected = inspect_requested WHERE booking_id = ${bookingId}`;
      expect(await calendar.audit()).toEqual(['missing_event']);
      await calendar.settle();
      await expectNothingToPutRight();
      expect(await shown()).toEqual([FIRST, ...LATER]);
    });

    test('moves by itself when the booking is moved, and leaves the owner’s weeks where they are', async () => {
      await repeat();
      await calendar.settle();
      await book(2, FIRST + 3);
      expect(await shown()).toEqual([FIRST + 3, ...LATER]);
      await book(3, FIRST + WEEK + 24);
      expect(await shown()).toEqual([...LATER, FIRST + WEEK + 24].sort((a, b) => a - b));
      expect(await calendar.intervals()).toEqual(spans(LATER));
      expect(await changes()).toEqual([]);
      await expectNothingToPutRight();
    });

    test.each([true, false])('is cancelled by itself (known as a series before: %s)', async (isKnown) => {
      await repeat();
      if (isKnown) await calendar.settle();
      await book(2, FIRST, 'cancelled');
      expect(await shown()).toEqual(LATER);
      expect(await calendar.intervals()).toEqual(spans(LATER));
      await expectNothingToPutRight();
      expect(await shown()).toEqual(LATER);
    });

    test('is told as moved when the owner moved the whole series, and as deleted when its own week is deleted', async () => {
      await repeat({ start: hourText(FIRST + 2), end: hourText(FIRST + 3) });
      await calendar.settle();
      expect(await changes()).toEqual(['moved']);
      expect(await calendar.intervals()).toEqual(spans(LATER.map((hour) => hour + 2)));
      await ownerChanges(eventId, { start: hourText(FIRST + 4), end: hourText(FIRST + 5) });
      await calendar.settle();
      // Graph tells of no occurrence that is gone: there the audit asks.
      await calendar.audit();
      await calendar.settle();
      expect(await changes()).toEqual(['moved', 'moved']);
      expect(await calendar.intervals()).toEqual(spans(LATER.map((hour) => hour + 4)));
      await calendar.own('DELETE', `/${encodeURIComponent((await effect())?.external_event_id)}`);
      await calendar.settle();
      await calendar.audit();
      await calendar.settle();
      expect(await changes()).toEqual(['moved', 'moved', 'deleted']);
      expect(await shown()).toEqual(LATER.map((hour) => hour + 4));
      await expectNothingToPutRight();
    });

    test('that was made a single event again is the booking’s as before', async () => {
      await repeat();
      await calendar.settle();
      await ownerChanges(eventId, { recurrence: null });
      await calendar.settle();
      expect((await effect())?.external_event_id).toBe(eventId);
      expect(await changes()).toEqual([]);
      expect(await calendar.intervals()).toEqual([]);
      await expectNothingToPutRight();
    });
  },
);
