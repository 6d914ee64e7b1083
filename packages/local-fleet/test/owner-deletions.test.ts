/** An owner's calendar is emptied, in a fleet of real processes: nobody is told before a person decided. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { expectJson, waitUntil } from '../src/index.ts';
import {
  bookedEvents,
  bookingAt,
  type ConnectedProvider,
  type RunningFleet,
  slotAt,
  startTestFleet,
} from './fleet-harness.ts';

const BOOKINGS = 7;

let fleet: RunningFleet;
let dana: ConnectedProvider;
const bookingIds = Array.from({ length: BOOKINGS }, () => randomUUID());
beforeAll(async () => {
  // Far longer than it takes to delete them all: the first is not told alone before the brake has seen the others.
  fleet = await startTestFleet({ DELETION_GRACE_SECONDS: '60' });
  dana = await fleet.connect('microsoft');
  await fleet.desk.publish(
    ...bookingIds.map((id, index) => bookingAt(dana, id, 1, 'booking.created', slotAt(index * 2))),
  );
  await untilShownCount(BOOKINGS);
}, 180_000);
afterAll(() => fleet?.close(), 180_000);

const shown = async () => (await Promise.all(bookingIds.map((id) => bookedEvents(fleet, dana.calendar, id)))).flat();
const untilShownCount = (count: number) =>
  waitUntil(`${count} events to be shown`, async () => (await shown()).length === count, 90_000);
const emptyCalendar = async () => {
  for (const { id } of await shown()) await fleet.sandbox.deleteEvent(dana.calendar, id);
};
/** What the booking service has been told, by kind. */
const told = async (): Promise<Record<string, number>> => {
  const jobs = await fleet.desk.queues.queue('calendar-external-changes').getJobs();
  const kinds: Record<string, number> = {};
  for (const { data } of jobs) kinds[data.kind] = (kinds[data.kind] ?? 0) + 1;
  return kinds;
};
const untilTold = (wanted: Record<string, number>) =>
  waitUntil(
    `the booking service to be told ${JSON.stringify(wanted)}`,
    async () => {
      const kinds = await told();
      return Object.entries(wanted).every(([kind, count]) => kinds[kind] === count);
    },
    90_000,
  );
const askOps = <Body>(method: string, path: string) =>
  expectJson<Body>(`${fleet.urls.ops}/api/ops/dead-letters${path}`, {
    method,
    headers: { authorization: `Bearer ${fleet.opsToken}` },
  });
const heldLetter = async () => {
  type Letters = { dead_letters: { id: string; kind: string; payload: { count: number } }[] };
  const { dead_letters: letters } = await askOps<Letters>('GET', '');
  return letters.find(({ kind }) => kind === 'held_deletions');
};

describe('[O-1] a calendar that loses all its bookings at once', () => {
  test('is held for a person, and a mistake is undone by writing the events again', async () => {
    await emptyCalendar();
    await untilTold({ held: BOOKINGS });
    const letter = await heldLetter();
    expect(letter?.payload).toMatchObject({ connection_id: dana.connectionId, count: BOOKINGS });
    expect(await shown()).toEqual([]);
    await askOps('POST', `/${letter?.id}/restore`);
    await untilShownCount(BOOKINGS);
    expect(await heldLetter()).toBeUndefined();
  }, 180_000);

  test('that was meant is told to the booking service once a person lets it go', async () => {
    await emptyCalendar();
    await untilTold({ held: 2 * BOOKINGS });
    expect(await told()).toEqual({ held: 2 * BOOKINGS });
    await askOps('POST', `/${(await heldLetter())?.id}/replay`);
    await untilTold({ deleted: BOOKINGS });
    expect(await shown()).toEqual([]);
  }, 180_000);
});
