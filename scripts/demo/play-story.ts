/**
 * The main job, played in front of a person and on the real parts: a change in a calendar becomes blocked time, a
 * booking becomes an event, moves and disappears.
 */
import { randomUUID } from 'node:crypto';
import { listBusyIntervals, openDatabase } from '@bookiji/db';
import {
  type BookingDesk,
  type BookingEventType,
  type LocalFleet,
  makeBookingEvent,
  openBookingDesk,
  type SandboxCalendar,
  type SandboxEvent,
  type Slot,
  waitUntil,
} from '@bookiji/local-fleet';
import { HOUR_MS, nextMorning, showSlots, slotAt } from './slots.ts';
import { holdBack, type Teller } from './teller.ts';

const PROVIDER_ID = '5f0c9a52-3d9e-4f0e-9a53-6a1f3c2b7d10';
const CALENDARS: readonly SandboxCalendar[] = [
  { calendarProvider: 'google', email: 'dana@gmail.example' },
  { calendarProvider: 'microsoft', email: 'dana@outlook.example' },
];
const ZONE = 'America/Toronto';

interface Stage {
  readonly fleet: LocalFleet;
  readonly tell: Teller;
  readonly desk: BookingDesk;
  readonly db: ReturnType<typeof openDatabase>['db'];
  /** Nine o'clock UTC of the day the story plays on. */
  readonly morning: Date;
}

export async function playStory(fleet: LocalFleet, tell: Teller): Promise<void> {
  const database = openDatabase(fleet.environment.DATABASE_URL ?? '', { applicationName: 'demo', max: 2 });
  const desk = openBookingDesk(fleet.environment);
  const meanwhile = holdBack(tell.plain);
  const stage: Stage = { fleet, tell, desk, db: database.db, morning: nextMorning() };
  try {
    tell.step('Dana connects her Google and her Microsoft calendar: link, consent, callback');
    await Promise.all(CALENDARS.map((calendar) => connectCalendar(stage, calendar)));
    // Played at the same time, told one after the other.
    const booking = playBooking({ ...stage, tell: meanwhile });
    await Promise.all([playChanges(stage).finally(meanwhile.release), booking]);
  } finally {
    await desk.close();
    await database.close();
  }
}

async function connectCalendar({ fleet, tell }: Stage, calendar: SandboxCalendar): Promise<void> {
  const { calendarProvider, email } = calendar;
  await fleet.sandbox.putUser({ calendar_provider: calendarProvider, email, name: 'Dana Demo', time_zone: ZONE });
  const startedAt = Date.now();
  await fleet.ingress.connectCalendar(PROVIDER_ID, calendarProvider, email);
  await waitUntil('the first sync and the push channel', async () => {
    const all = await fleet.ingress.connections(PROVIDER_ID);
    const mine = all.find((one) => one.calendar_provider === calendarProvider);
    return Date.parse(mine?.last_synced_at ?? '') >= startedAt && mine?.channel_expires_at;
  });
  tell.result(`${nameOf(calendarProvider)} connected, first sync done, push channel open`);
}

/** A change in each calendar becomes a row and shrinks the free slots; gone, it gives them back. */
async function playChanges(stage: Stage): Promise<void> {
  const { fleet, tell, morning } = stage;
  const slots = [0, 1, 2].map((hour) => slotAt(morning, hour));
  const free = async () => showSlots((await fleet.ingress.availability(PROVIDER_ID, slots)).free);
  const allFree = await free();
  tell.step(`Free slots of ${morning.toISOString().slice(0, 10)}: ${allFree} UTC`);
  const events = await Promise.all(
    CALENDARS.map(async (calendar, index) => {
      const slot = slotAt(morning, index + 1);
      tell.step(`Dana writes "Dentist" into her ${nameOf(calendar.calendarProvider)} calendar, ${showSlots([slot])}`);
      const event = await seeRow(stage, calendar, slot);
      return { calendar, event };
    }),
  );
  const left = showSlots(slots.slice(0, 1));
  await waitUntil('the slots to be blocked', async () => (await free()) === left);
  tell.result(`free now: ${left}`);
  await Promise.all(events.map(({ calendar, event }) => fleet.sandbox.deleteEvent(calendar, event.id)));
  await waitUntil('the slots to be free again', async () => (await free()) === allFree);
  tell.result(`she deletes both, and the slots are back: ${allFree}`);
}

/** Writes an event and waits for its row. */
async function seeRow(stage: Stage, calendar: SandboxCalendar, slot: Slot): Promise<SandboxEvent> {
  const at = performance.now();
  const event = await stage.fleet.sandbox.addEvent(calendar, { title: 'Dentist', ...slot });
  const [start, end] = [new Date(slot.start), new Date(slot.end)];
  await waitUntil('the busy interval', async () => {
    const rows = await listBusyIntervals(stage.db, PROVIDER_ID, start, end);
    return rows.some(({ startAt, endAt }) => +startAt === +start && +endAt === +end);
  });
  stage.tell.result(`a row in external_calendar_events, ${showSlots([slot])} (${since(at)})`);
  return event;
}

/** A booking becomes one event in each calendar, moves and disappears. */
async function playBooking(stage: Stage): Promise<void> {
  const { fleet, tell, morning } = stage;
  const bookingId = randomUUID();
  const publish = (version: number, type: BookingEventType, slot: Slot) =>
    stage.desk.publish(makeBookingEvent({ bookingId, providerId: PROVIDER_ID, version, type, slot }));
  const until = new Date(morning.getTime() + 12 * HOUR_MS);
  const shown = async () => {
    const lists = await Promise.all(CALENDARS.map((calendar) => fleet.sandbox.listEvents(calendar, morning, until)));
    return lists.map((events) => events.filter(({ title }) => title === 'Haircut (Bookiji)'));
  };
  const eachShows = async (wanted: Slot | null) =>
    (await shown()).every((events) =>
      wanted === null
        ? events.length === 0
        : events.length === 1 && Date.parse(events[0]?.start ?? '') === Date.parse(wanted.start),
    );
  const steps = [
    ['booking.created', slotAt(morning, 3), 'Meanwhile a haircut is booked for', 'one event in each calendar'],
    ['booking.updated', slotAt(morning, 5), 'The haircut is moved to', 'the same events, moved'],
    ['booking.cancelled', null, 'The haircut is cancelled', 'the events are gone'],
  ] as const;
  for (const [index, [type, slot, what, becomes]] of steps.entries()) {
    const at = performance.now();
    tell.step(`${what}${slot === null ? '' : ` ${showSlots([slot])}`}: ${type} on calendar-booking-events`);
    await publish(index + 1, type, slot ?? slotAt(morning, 5));
    await waitUntil(`${type} to reach the calendar`, () => eachShows(slot));
    tell.result(`${becomes} (${since(at)})`);
  }
}

function since(startedAt: number): string {
  return `${Math.round(performance.now() - startedAt)} ms`;
}

function nameOf(calendarProvider: SandboxCalendar['calendarProvider']): string {
  return calendarProvider === 'google' ? 'Google' : 'Microsoft';
}
