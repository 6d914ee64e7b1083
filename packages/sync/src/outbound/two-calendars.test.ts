import { randomUUID } from 'node:crypto';
import { acceptBookingIntent } from '@bookiji/db';
import { createFakeCalendar, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { convergeBooking } from './converge-booking.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('[O-1] a booking goes to every connection by an effect of its own: one that fails holds up no other', async () => {
  const providerId = randomUUID();
  const [google, microsoft] = await Promise.all(
    (['google', 'microsoft'] as const).map((calendarProvider) =>
      insertConnection(database.sql, { providerId, calendarProvider }),
    ),
  );
  const [working, failing] = [createFakeCalendar(), createFakeCalendar()];
  failing.fault = () => ({ refuse: { kind: 'transient', reason: 'backendError', status: 503 } });
  const bookingId = randomUUID();
  const startAt = new Date('2026-11-24T10:00:00Z');
  await acceptBookingIntent(database.db, {
    eventId: randomUUID(),
    bookingId,
    providerId,
    version: 1,
    state: 'live',
    startAt,
    endAt: new Date('2026-11-24T11:00:00Z'),
    details: { title: 'Haircut', time_zone: 'UTC' },
  });
  const converge = (connectionId = '') =>
    convergeBooking(
      {
        db: database.db,
        openCalendar: ({ id }) => (id === google?.id ? working.port : failing.port),
        owner: 'me',
        backoff: { baseSeconds: 1, maxSeconds: 10 },
        leaseMs: 20_000,
        random: () => 0,
      },
      { bookingId, connectionId },
      new AbortController().signal,
    );
  expect(await converge(microsoft?.id)).toMatchObject({ outcome: 'failed', isDead: false });
  expect(await converge(google?.id)).toMatchObject({ outcome: 'converged' });
  expect(working.live()).toHaveLength(1);
  const shown = await database.sql`
    SELECT calendar_provider, sync_status, last_error ->> 'reason' AS reason
      FROM external_calendar_events WHERE booking_id = ${bookingId} ORDER BY calendar_provider`;
  expect([...shown]).toEqual([
    { calendar_provider: 'google', sync_status: 'CREATED', reason: null },
    { calendar_provider: 'microsoft', sync_status: 'FAILED', reason: 'backendError' },
  ]);

  failing.fault = () => null;
  await database.sql`UPDATE booking_effects SET next_attempt_at = now() WHERE booking_id = ${bookingId}`;
  expect(await converge(microsoft?.id)).toMatchObject({ outcome: 'converged' });
});
