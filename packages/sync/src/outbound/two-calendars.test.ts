import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openBookingStage } from '../../test/booking-stage.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('[O-1] a booking goes to every connection by an effect of its own: one that fails holds up no other', async () => {
  const [providerId, bookingId] = [randomUUID(), randomUUID()];
  const open = async (calendarProvider: 'google' | 'microsoft') =>
    openBookingStage(database, await insertConnection(database.sql, { providerId, calendarProvider }), { bookingId });
  const [google, microsoft] = [await open('google'), await open('microsoft')];
  const [working, failing] = [google.calendar, microsoft.calendar];
  failing.fault = () => ({ refuse: { kind: 'transient', reason: 'backendError', status: 503 } });
  await google.announce(1);
  expect(await microsoft.converge()).toMatchObject({ outcome: 'failed', isDead: false });
  expect(await google.converge()).toMatchObject({ outcome: 'converged' });
  expect(working.live()).toHaveLength(1);
  const shown = await database.sql`
    SELECT calendar_provider, sync_status, last_error ->> 'reason' AS reason
      FROM external_calendar_events WHERE booking_id = ${bookingId} ORDER BY calendar_provider`;
  expect([...shown]).toEqual([
    { calendar_provider: 'google', sync_status: 'CREATED', reason: null },
    { calendar_provider: 'microsoft', sync_status: 'FAILED', reason: 'backendError' },
  ]);

  failing.fault = () => null;
  await microsoft.wake();
  expect(await microsoft.converge()).toMatchObject({ outcome: 'converged' });
});
