import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { acceptBookingIntent } from '@bookiji/db';
import type { CalendarPort } from '@bookiji/providers/contract';
import { createFakeCalendar, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { convergeBooking } from './converge-booking.ts';
import { creationKey } from './event-identity.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const PAGES = 12;
const PAGE_MS = 400;
const STEP_AT_MOST_MS = 1_500;

/** A booking whose create may have been sent, so that its event is looked for first, page by page. */
async function search(saysEachPage: boolean) {
  const { id: connectionId, providerId } = await insertConnection(database.sql, { calendarProvider: 'microsoft' });
  const bookingId = randomUUID();
  const startAt = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000);
  await acceptBookingIntent(database.db, {
    ...{ eventId: randomUUID(), bookingId, providerId, version: 1, state: 'live', startAt },
    ...{ endAt: new Date(startAt.getTime() + 3_600_000), details: { title: 't', time_zone: 'UTC' } },
  });
  const key = creationKey(bookingId, connectionId, 0).transactionId;
  await database.sql`UPDATE booking_effects SET creation_key = ${key} WHERE booking_id = ${bookingId}`;
  const calendar = createFakeCalendar();
  const openCalendar = (_connection: unknown, _credentials?: unknown, onAnswer?: () => void): CalendarPort => ({
    ...calendar.port,
    async findEvent(wanted, signal) {
      for (let page = 0; page < PAGES; page += 1) {
        await sleep(PAGE_MS, undefined, { signal });
        if (saysEachPage) onAnswer?.();
      }
      return calendar.port.findEvent(wanted, signal);
    },
  });
  const terms = { backoff: { baseSeconds: 1, maxSeconds: 10 }, leaseMs: 6_000, stepAtMostMs: STEP_AT_MOST_MS };
  const deps = { db: database.db, openCalendar, owner: 'me', random: () => 0, ...terms };
  return convergeBooking(deps, { bookingId, connectionId }, new AbortController().signal);
}

test('[O-1] a booking whose event is looked for in a large calendar is not called off while pages come', async () => {
  expect(await search(true)).toMatchObject({ outcome: 'converged', action: 'created' });
});

test('[O-1] a search that nothing is heard of is called off', async () => {
  expect(await search(false)).toEqual({ outcome: 'lease_lost' });
});
