/** An owner who makes another calendar their default one: bookings stay where they were written. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type OutboundStage, startOutboundStage } from './outbound-stage.ts';

let stage: OutboundStage;
beforeAll(async () => {
  stage = await startOutboundStage({ backoff: { baseSeconds: 1, maxSeconds: 10 }, breakerResetMs: 1_000 });
});
afterAll(() => stage?.close());

test('[O-1] a booking is changed in the calendar it was written to, whichever is the default one by then', async () => {
  const connection = await stage.connect('microsoft');
  const email = `${connection.id}@microsoft.example`;
  const account = (calendars: readonly object[]) =>
    stage.order<{ calendars: { id: string; primary: boolean }[] }>('PUT', '/users', {
      calendar_provider: 'microsoft',
      email,
      calendars,
    });
  const shown = async (calendarId = '') => {
    const path = `/calendars/microsoft/${email}/events?calendar_id=${encodeURIComponent(calendarId)}`;
    const { events } = await stage.order<{ events: { id: string; start: string; status: string }[] }>('GET', path);
    return events.map(({ id, start, status }) => ({ id, hour: new Date(start).getUTCHours(), status }));
  };
  const [first] = (await account([])).calendars;
  const bookingId = await stage.book(connection);
  await stage.work();
  const [written] = await shown(first?.id);
  expect(written).toMatchObject({ hour: 9, status: 'confirmed' });

  const { calendars } = await account([{ summary: 'A new default', primary: true }]);
  expect(calendars.map(({ id, primary }) => [id === first?.id, primary])).toEqual([
    [false, true],
    [true, false],
  ]);
  await stage.book(connection, bookingId);
  expect(await stage.work()).toMatchObject([{ result: { outcome: 'converged', action: 'updated' } }]);
  expect(await shown(first?.id)).toEqual([{ ...written, hour: 10 }]);
  expect(await shown(calendars[0]?.id)).toEqual([]);

  // A booking made since goes to the calendar that its owner calls their own now.
  await stage.book(connection);
  await stage.work();
  expect(await shown(first?.id)).toHaveLength(1);
  expect(await shown(calendars[0]?.id)).toHaveLength(1);
});
