import { randomUUID } from 'node:crypto';
import { acceptBookingIntent, claimEffect, noteCreation } from '@bookiji/db';
import { type CalendarPort, type EventChange, ProviderError } from '@bookiji/providers/contract';
import {
  createFakeCalendar,
  createTestDatabase,
  insertConnection,
  type TestDatabase,
  untilSomebodyWaits,
} from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { creationKey } from '../outbound/event-identity.ts';
import { syncConnection } from './sync-connection.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Tomorrow, so that it lies in the window in any year. */
const startAt = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 24 * 3_600_000);
const endAt = new Date(startAt.getTime() + 3_600_000);

/** A connection whose feed shows this one event. */
function syncOver(connectionId: string, shown: EventChange) {
  const port = {
    ...createFakeCalendar().port,
    listChanges: async () => ({ changes: [shown], unreadable: [], nextPage: null, cursor: 'next' }),
  };
  return syncConnection(dependencies(port), connectionId, new AbortController().signal);
}

function dependencies(port: CalendarPort) {
  return {
    db: database.db,
    openCalendar: () => port,
    owner: 'me',
    window: { pastDays: 1, futureDays: 90 },
    backoff: { baseSeconds: 1, maxSeconds: 10 },
    reconcileSeconds: 300,
    leaseMs: 20_000,
    random: () => 0,
  };
}

test('[O-3] a stray that Graph shows by its key alone, while its booking is being written, is read afterwards', async () => {
  const { id: connectionId, providerId } = await insertConnection(database.sql, { calendarProvider: 'microsoft' });
  const bookingId = randomUUID();
  const details = { title: 't', time_zone: 'UTC' };
  const intent = {
    eventId: randomUUID(),
    bookingId,
    providerId,
    version: 1,
    state: 'live',
    startAt,
    endAt,
    details,
  } as const;
  await acceptBookingIntent(database.db, intent);
  const claim = await claimEffect(database.db, { bookingId, connectionId, owner: 'writer', leaseMs: 20_000 });
  const keyOf = (generation: number) => creationKey(bookingId, connectionId, generation).transactionId;
  for (const generation of [0, 1]) {
    const lease = { bookingId, connectionId, token: claim?.token ?? 0 };
    await noteCreation(database.db, lease, { generation, creationKey: keyOf(generation) });
  }
  const none = { seriesId: null, icalUid: null, marker: null, blocks: true };
  const event = { kind: 'event', eventId: 'AAMk', ...none, startAt, endAt, etag: 'W/"1"' } as const;
  const current = await syncOver(connectionId, { ...event, creationKey: keyOf(1) });
  expect(current).toMatchObject({ outcome: 'synced', suspectBookingIds: [], putCount: 0 });
  await database.sql`UPDATE external_calendar_connections SET requested = requested + 1 WHERE id = ${connectionId}`;
  const late = await syncOver(connectionId, { ...event, creationKey: keyOf(0) });
  expect(late).toMatchObject({ outcome: 'synced', suspectBookingIds: [bookingId], putCount: 0 });
  const [effect] =
    await database.sql`SELECT inspect_requested, inspected FROM booking_effects WHERE booking_id = ${bookingId}`;
  expect(effect).toMatchObject({ inspect_requested: '1', inspected: '0' });
});

test('[R-3] connecting again while a round asks for reads makes neither fail: both take the connection first', async () => {
  const connection = await insertConnection(database.sql, { calendarProvider: 'microsoft' });
  const { id: connectionId, providerId } = connection;
  const bookingId = randomUUID();
  const intent = { eventId: randomUUID(), bookingId, providerId, version: 1, state: 'cancelled' } as const;
  await acceptBookingIntent(database.db, { ...intent, startAt, endAt, details: null });
  const key = creationKey(bookingId, connectionId, 0).transactionId;
  await database.sql`UPDATE booking_effects SET creation_key = ${key} WHERE booking_id = ${bookingId}`;
  const none = { seriesId: null, icalUid: null, marker: null, blocks: true, etag: null } as const;
  const shown = { kind: 'event', eventId: 'AAMk', ...none, startAt, endAt, creationKey: key } as const;
  let connecting: Promise<unknown> | undefined;
  const port: CalendarPort = {
    ...createFakeCalendar().port,
    listChanges: () =>
      new Promise((answer) => {
        connecting = database.sql.begin(async (tx) => {
          await tx`SELECT FROM external_calendar_connections WHERE id = ${connectionId} FOR UPDATE`;
          answer({ changes: [shown], unreadable: [], nextPage: null, cursor: 'next' });
          await untilSomebodyWaits(database.sql);
          await tx`UPDATE booking_effects SET next_attempt_at = now() WHERE connection_id = ${connectionId}`;
        });
      }),
  };
  const synced = await syncConnection(dependencies(port), connectionId, new AbortController().signal);
  await connecting;
  expect(synced).toMatchObject({ outcome: 'synced', suspectBookingIds: [bookingId] });
});

test('[B-1] a failed look is counted as what it was: the round after a lost cursor is a full one', async () => {
  const { id: connectionId } = await insertConnection(database.sql);
  await database.sql`
    UPDATE external_calendar_connections
       SET sync_cursor = 'old', sync_window_start = now() - interval '2 days', sync_window_end = now() + interval '200 days',
           last_synced_at = now() WHERE id = ${connectionId}`;
  const refuse = (kind: 'cursor_expired' | 'transient') =>
    new ProviderError({
      ...{
        kind,
        calendarProvider: 'google',
        operation: 'list_changes',
        status: 503,
        reason: 'said',
        retryAfterMs: null,
      },
      ...{ requestId: null, outcomeUnknown: false },
    });
  const port: CalendarPort = {
    ...createFakeCalendar().port,
    listChanges: async ({ cursor }) => Promise.reject(refuse(cursor === null ? 'transient' : 'cursor_expired')),
  };
  const result = await syncConnection(dependencies(port), connectionId, new AbortController().signal);
  expect(result).toMatchObject({ outcome: 'failed', mode: 'full', error: { kind: 'transient' } });
  const [run] = await database.sql`SELECT mode, outcome FROM sync_runs WHERE connection_id = ${connectionId}`;
  expect(run).toEqual({ mode: 'full', outcome: 'failed' });
});

test('[I-1] pages of a round that was broken off by an expired cursor are no part of the full round after it', async () => {
  const connection = await insertConnection(database.sql);
  const connectionId = connection.id;
  await database.sql`
    UPDATE external_calendar_connections
       SET sync_cursor = 'old', sync_window_start = now() - interval '2 days', sync_window_end = now() + interval '200 days',
           last_synced_at = now() WHERE id = ${connectionId}`;
  const none = { seriesId: null, icalUid: null, marker: null, creationKey: null, blocks: true, etag: null } as const;
  const event = (eventId: string): EventChange => ({ kind: 'event', eventId, ...none, startAt, endAt });
  const port: CalendarPort = {
    ...createFakeCalendar().port,
    listChanges: async ({ cursor, page }) => {
      if (cursor === null) return { changes: [event('true')], unreadable: [], nextPage: null, cursor: 'new' };
      if (page === null) return { changes: [event('outdated')], unreadable: [], nextPage: 'second', cursor: null };
      throw new ProviderError({
        ...{ kind: 'cursor_expired', calendarProvider: 'google', operation: 'list_changes', status: 410 },
        ...{ reason: 'fullSyncRequired', retryAfterMs: null, requestId: null, outcomeUnknown: false },
      });
    },
  };
  const result = await syncConnection(dependencies(port), connectionId, new AbortController().signal);
  expect(result).toMatchObject({ outcome: 'synced', mode: 'full', putCount: 1 });
  const rows = await database.sql`
    SELECT external_event_id AS id FROM external_calendar_events WHERE connection_id = ${connectionId}`;
  expect(rows.map(({ id }) => id)).toEqual(['true']);
});
