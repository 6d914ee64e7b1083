/** What a first sync at Microsoft, where looking for one event means paging through the calendar, spares the bookings. */
import { randomBytes, randomUUID } from 'node:crypto';
import { acceptBookingIntent, eraseConnection } from '@bookiji/db';
import type { ChangePage, OAuthPort } from '@bookiji/providers/contract';
import { createFakeCalendar, createTestDatabase, type FakeCalendar, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { syncConnection } from '../inbound/sync-connection.ts';
import { convergeBooking } from '../outbound/converge-booking.ts';
import { creationKey } from '../outbound/event-identity.ts';
import { connectionIdOf, connectProvider } from './connect-provider.ts';

let database: TestDatabase;
let calendar: FakeCalendar;
let providerId: string;
let connectionId: string;
let bookingId: string;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => {
  calendar = createFakeCalendar();
  providerId = randomUUID();
  connectionId = connectionIdOf(providerId, 'microsoft');
  bookingId = randomUUID();
});

const HOUR_MS = 3_600_000;
const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
const never = new AbortController().signal;
const backoff = { baseSeconds: 60, maxSeconds: 600 };

function connect() {
  const grant = { accessToken: 'a', refreshToken: 'r', expiresInSeconds: 3_600, scopes: [] };
  const oauth = {
    calendarProvider: 'microsoft',
    exchangeCode: async () => grant,
    missingScopes: () => [],
    identify: async () => ({ accountId: 'mine', email: null }),
  } as unknown as OAuthPort;
  const keys = [{ id: 'k1', key: randomBytes(32) }] as const;
  const consent = {
    providerId,
    calendarProvider: 'microsoft',
    code: 'c',
    codeVerifier: 'v',
    redirectUri: 'u',
  } as const;
  return connectProvider({ db: database.db, keys, oauth }, consent, never);
}

function announce(version: number, state: 'live' | 'cancelled', startsInHours: number) {
  return acceptBookingIntent(database.db, {
    eventId: randomUUID(),
    bookingId,
    providerId,
    version,
    state,
    startAt: new Date(now + startsInHours * HOUR_MS),
    endAt: new Date(now + (startsInHours + 1) * HOUR_MS),
    details: { title: `v${version}`, time_zone: 'UTC' },
  });
}

/** A sync whose feed shows what is in the calendar. */
function sync(over: Partial<ChangePage> = {}) {
  const key = creationKey(bookingId, connectionId, 0).transactionId;
  const none = { seriesId: null, icalUid: null, marker: null } as const;
  const changes = calendar.live().map(({ eventId, etag, startAt, endAt }) => ({
    ...{ kind: 'event' as const, eventId, etag, startAt, endAt, blocks: true, creationKey: key },
    ...none,
  }));
  const page: ChangePage = { changes, unreadable: [], nextPage: null, cursor: 'next', ...over };
  const deps = {
    ...{ db: database.db, owner: 'me', backoff, reconcileSeconds: 300, leaseMs: 20_000, random: () => 0 },
    openCalendar: () => ({ ...calendar.port, listChanges: async () => page }),
    window: { pastDays: 1, futureDays: 90 },
  };
  return syncConnection(deps, connectionId, never);
}

/** What came of the booking, and the calls that it took. */
async function converge() {
  const before = calendar.calls.length;
  const deps = { db: database.db, openCalendar: () => calendar.port, owner: 'me', backoff };
  const target = { bookingId, connectionId };
  const done = await convergeBooking({ ...deps, leaseMs: 20_000, random: () => 0 }, target, never);
  return { done, calls: calendar.calls.slice(before) };
}

describe('[O-1] a booking that comes with the grant', () => {
  test('waits for the first sync, and is created without a search when that has not seen it', async () => {
    await announce(1, 'live', 24);
    await connect();
    expect((await converge()).done).toEqual({ outcome: 'nothing_due' });
    expect(await sync()).toMatchObject({ outcome: 'synced' });
    expect(await converge()).toMatchObject({ done: { action: 'created' }, calls: ['create_event'] });
  });

  test('waits for two minutes at most, and is then looked for by itself', async () => {
    await announce(1, 'live', 24);
    await connect();
    await database.sql`UPDATE booking_effects SET next_attempt_at = next_attempt_at - interval '2 minutes'`;
    expect(await converge()).toMatchObject({ done: { action: 'created' }, calls: ['find_event', 'create_event'] });
  });

  test('costs nothing when it is cancelled and was not seen', async () => {
    await announce(1, 'cancelled', 24);
    await connect();
    await sync();
    expect(await converge()).toMatchObject({ done: { action: 'none' }, calls: [] });
  });

  test.each([
    ['begins beyond the window', 3 * 365 * 24, {}],
    ['may be what could not be read', 24, { unreadable: [{ eventId: 'odd', reason: 'no_times' }] }],
  ] as const)('is looked for when it %s', async (_, startsInHours, page) => {
    await announce(1, 'live', startsInHours);
    await connect();
    await sync(page as unknown as Partial<ChangePage>);
    expect(await converge()).toMatchObject({ done: { action: 'created' }, calls: ['find_event', 'create_event'] });
  });

  test('is looked for when an earlier version lay beyond the window', async () => {
    await announce(1, 'live', 3 * 365 * 24);
    await announce(2, 'cancelled', 24);
    await connect();
    await sync();
    expect((await converge()).calls).toEqual(['find_event']);
  });
});

describe('[O-3] a booking whose event is in the calendar that comes back', () => {
  beforeEach(async () => {
    await announce(1, 'live', 24);
    await connect();
    await sync();
    await converge();
    await eraseConnection(database.db, connectionId);
  });

  test('is found when the first sync has seen it', async () => {
    await connect();
    await sync();
    expect(await converge()).toMatchObject({ done: { action: 'adopted' }, calls: ['find_event'] });
  });

  test('is looked for when a series begins with it, which its owner may have made of it', async () => {
    await connect();
    const none = { icalUid: null, marker: null, creationKey: null, etag: null, blocks: true } as const;
    const [event] = calendar.live();
    const startAt = event?.startAt ?? new Date();
    const endAt = event?.endAt ?? new Date();
    await sync({ changes: [{ kind: 'event', eventId: 'first', seriesId: 'series', ...none, startAt, endAt }] });
    expect((await converge()).calls).toEqual(['find_event']);
  });

  test('is found although its owner had moved it out of the window: its key is refused', async () => {
    await announce(2, 'live', 30);
    await connect();
    await sync({ changes: [] });
    expect(await converge()).toMatchObject({
      done: { action: 'updated' },
      calls: ['create_event', 'find_event', 'update_event'],
    });
    expect(calendar.live()).toHaveLength(1);
  });
});
