/** What a first sync at Microsoft, where looking for one event means paging through the calendar, spares the bookings. */
import { eraseConnection } from '@bookiji/db';
import type { ChangePage } from '@bookiji/providers/contract';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { BACKOFF, inHours, never } from '../../test/booking-stage.ts';
import { type ConnectStage, openConnectStage } from '../../test/connect-stage.ts';
import { syncConnection } from '../inbound/sync-connection.ts';
import { creationKey } from '../outbound/event-identity.ts';

let database: TestDatabase;
let stage: ConnectStage;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => {
  stage = openConnectStage(database, 'microsoft');
});

/** A sync whose feed shows what is in the calendar. */
function sync(over: Partial<ChangePage> = {}) {
  const key = creationKey(stage.bookingId, stage.connectionId, 0).transactionId;
  const none = { seriesId: null, icalUid: null, marker: null } as const;
  const changes = stage.calendar.live().map(({ eventId, etag, startAt, endAt }) => ({
    ...{ kind: 'event' as const, eventId, etag, startAt, endAt, blocks: true, creationKey: key },
    ...none,
  }));
  const page: ChangePage = { changes, unreadable: [], nextPage: null, cursor: 'next', ...over };
  const deps = {
    ...{ db: database.db, owner: 'me', backoff: BACKOFF, reconcileSeconds: 300, leaseMs: 20_000, random: () => 0 },
    openCalendar: () => ({ ...stage.calendar.port, listChanges: async () => page }),
    window: { pastDays: 1, futureDays: 90 },
  };
  return syncConnection(deps, stage.connectionId, never);
}

/** What came of the booking, and the calls that it took. */
async function converge() {
  const before = stage.calendar.calls.length;
  const done = await stage.converge();
  return { done, calls: stage.calendar.calls.slice(before) };
}

describe('[O-1] a booking that comes with the grant', () => {
  test('waits for the first sync, and is created without a search when that has not seen it', async () => {
    await stage.announce(1);
    await stage.connect();
    expect((await converge()).done).toEqual({ outcome: 'nothing_due' });
    expect(await sync()).toMatchObject({ outcome: 'synced' });
    expect(await converge()).toMatchObject({ done: { action: 'created' }, calls: ['create_event'] });
  });

  test('waits for two minutes at most, and is then looked for by itself', async () => {
    await stage.announce(1);
    await stage.connect();
    await database.sql`UPDATE booking_effects SET next_attempt_at = next_attempt_at - interval '2 minutes'`;
    expect(await converge()).toMatchObject({ done: { action: 'created' }, calls: ['find_event', 'create_event'] });
  });

  test('costs nothing when it is cancelled and was not seen', async () => {
    await stage.announce(1, 'cancelled');
    await stage.connect();
    await sync();
    expect(await converge()).toMatchObject({ done: { action: 'none' }, calls: [] });
  });

  test.each([
    ['begins beyond the window', 3 * 365 * 24, {}],
    ['may be what could not be read', 24, { unreadable: [{ eventId: 'odd', reason: 'no_times' }] }],
  ] as const)('is looked for when it %s', async (_, startsInHours, page) => {
    await stage.announce(1, 'live', { startAt: inHours(startsInHours) });
    await stage.connect();
    await sync(page as unknown as Partial<ChangePage>);
    expect(await converge()).toMatchObject({ done: { action: 'created' }, calls: ['find_event', 'create_event'] });
  });

  test('is looked for when an earlier version lay beyond the window', async () => {
    await stage.announce(1, 'live', { startAt: inHours(3 * 365 * 24) });
    await stage.announce(2, 'cancelled');
    await stage.connect();
    await sync();
    expect((await converge()).calls).toEqual(['find_event']);
  });
});

describe('[O-3] a booking whose event is in the calendar that comes back', () => {
  beforeEach(async () => {
    await stage.announce(1);
    await stage.connect();
    await sync();
    await converge();
    await eraseConnection(database.db, stage.connectionId);
  });

  test('is found when the first sync has seen it', async () => {
    await stage.connect();
    await sync();
    expect(await converge()).toMatchObject({ done: { action: 'adopted' }, calls: ['find_event'] });
  });

  test('is looked for when a series begins with it, which its owner may have made of it', async () => {
    await stage.connect();
    const none = { icalUid: null, marker: null, creationKey: null, etag: null, blocks: true } as const;
    const [event] = stage.calendar.live();
    const startAt = event?.startAt ?? new Date();
    const endAt = event?.endAt ?? new Date();
    await sync({ changes: [{ kind: 'event', eventId: 'first', seriesId: 'series', ...none, startAt, endAt }] });
    expect((await converge()).calls).toEqual(['find_event']);
  });

  test('is found although its owner had moved it out of the window: its key is refused', async () => {
    await stage.announce(2, 'live', { startAt: inHours(30) });
    await stage.connect();
    await sync({ changes: [] });
    expect(await converge()).toMatchObject({
      done: { action: 'updated' },
      calls: ['create_event', 'find_event', 'update_event'],
    });
    expect(stage.calendar.live()).toHaveLength(1);
  });
});
