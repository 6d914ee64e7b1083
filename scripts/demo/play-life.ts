/**
 * The whole life of a connection at both calendar providers, over HTTP alone, as a new user has it: connect, sync both
 * ways, renew, lose the grant, reconnect, disconnect. It leaves nothing behind.
 */
import { randomUUID } from 'node:crypto';
import {
  type BookingEventType,
  type ConnectionStatus,
  type LocalFleet,
  makeBookingEvent,
  type SandboxCalendar,
  waitUntil,
} from '@bookiji/local-fleet';
import { HOUR_MS, nextMorning, slotAt } from './slots.ts';
import type { Teller } from './teller.ts';

const PROVIDER_ID = '8c1f2b60-7a41-4c55-9d0e-2f6b4a9e1c33';
const CALENDARS: readonly SandboxCalendar[] = [
  { calendarProvider: 'google', email: 'lena@gmail.example' },
  { calendarProvider: 'microsoft', email: 'lena@outlook.example' },
];
const HOURS = 6;

type Ids = ReadonlyMap<SandboxCalendar, string>;

export async function playLife(fleet: LocalFleet, tell: Teller): Promise<void> {
  tell.step('The whole life of a connection, over HTTP alone: Lena connects her Google and her Microsoft calendar');
  const ids = await connect(fleet);
  tell.result('both connected, synced and watched');
  await syncBothWays(fleet);
  tell.result('an hour in each calendar blocks a slot; a booking appears in both and disappears from both');
  await renew(fleet, ids);
  tell.result('her access tokens expire, her channels are renewed, and the next change still arrives');
  tell.result(`she revokes her grants: "${await loseGrants(fleet)}"`);
  await reconnect(fleet, ids);
  tell.result('she connects again: the connections are the same, and what changed meanwhile is there');
  await disconnect(fleet, ids);
  tell.result('she disconnects: her connections, busy times and channels are gone');
}

async function connect(fleet: LocalFleet): Promise<Ids> {
  const ids = await atEach(async (calendar) => {
    const { calendarProvider, email } = calendar;
    const whose = { calendar_provider: calendarProvider, email };
    await fleet.sandbox.putUser({ ...whose, name: 'Lena Demo', time_zone: 'Europe/Berlin' });
    return [calendar, await fleet.ingress.connectCalendar(PROVIDER_ID, calendarProvider, email)] as const;
  });
  await untilBothAre(fleet, 'synced and watched', (one) => one.last_synced_at && one.channel_expires_at);
  return new Map(ids);
}

async function syncBothWays(fleet: LocalFleet): Promise<void> {
  await atEach((calendar, index) => fleet.sandbox.addEvent(calendar, { title: 'Lunch', ...hour(index) }));
  await untilFree(fleet, HOURS - CALENDARS.length);
  const bookingId = randomUUID();
  for (const [index, type] of (['booking.created', 'booking.cancelled'] satisfies BookingEventType[]).entries()) {
    await book(fleet, bookingId, index + 1, type);
    await waitUntil(`${type} in both calendars`, async () => {
      const shown = await atEach((calendar) => fleet.sandbox.listEvents(calendar, ...day()));
      const isShown = (title: string | null) => title === bookingId;
      return shown.every((events) => events.some(({ title }) => isShown(title)) === (type === 'booking.created'));
    });
  }
}

async function renew(fleet: LocalFleet, ids: Ids): Promise<void> {
  const before = new Set(await listChannels(fleet));
  await atEach(async (calendar) => {
    await order(fleet, '/tokens/expire', calendar);
    await fetch(`${fleet.urls.ops}/connections/${ids.get(calendar)}/reopen-channel`, {
      method: 'POST',
      headers: { authorization: `Bearer ${fleet.opsToken}` },
      redirect: 'manual',
    });
  });
  await waitUntil('the channels to be renewed', async () => {
    const now = await listChannels(fleet);
    return now.length === before.size && now.every((channel) => !before.has(channel));
  });
  await atEach((calendar, index) => fleet.sandbox.addEvent(calendar, { title: 'Tea', ...hour(2 + index) }));
  await untilFree(fleet, HOURS - 2 * CALENDARS.length);
}

/** @returns what the product says about it. */
async function loseGrants(fleet: LocalFleet): Promise<string> {
  await atEach((calendar) => order(fleet, '/grants/revoke', calendar));
  // A calendar whose grant is gone falls silent; it shows at the next look.
  await fleet.ingress.request('POST', '/api/calendar/sync', { provider_id: PROVIDER_ID });
  const [one] = await untilBothAre(fleet, 'parked', ({ status }) => status === 'reauth_required');
  return String(one?.status_reason);
}

async function reconnect(fleet: LocalFleet, ids: Ids): Promise<void> {
  await atEach((calendar, index) => fleet.sandbox.addEvent(calendar, { title: 'Dinner', ...hour(4 + index) }));
  await atEach(async (calendar) => {
    const id = await fleet.ingress.connectCalendar(PROVIDER_ID, calendar.calendarProvider, calendar.email);
    if (id !== ids.get(calendar)) throw new Error('a reconnect changed the id of its connection');
  });
  await untilBothAre(fleet, 'active', ({ status }) => status === 'active');
  await untilFree(fleet, 0);
}

async function disconnect(fleet: LocalFleet, ids: Ids): Promise<void> {
  await Promise.all([...ids.values()].map((id) => fleet.ingress.request('DELETE', `/api/calendar/connections/${id}`)));
  const left = [...(await fleet.ingress.connections(PROVIDER_ID)), ...(await listChannels(fleet))];
  if (left.length > 0) throw new Error('something is left of a connection that was disconnected');
  await atEach(({ calendarProvider, email }) =>
    fleet.sandbox.order('DELETE', `/users/${calendarProvider}/${encodeURIComponent(email)}`),
  );
}

function atEach<Result>(act: (calendar: SandboxCalendar, index: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(CALENDARS.map(act));
}

const hour = (index: number) => slotAt(nextMorning(), index);

const day = (): [Date, Date] => [nextMorning(), new Date(nextMorning().getTime() + 12 * HOUR_MS)];

function order(fleet: LocalFleet, path: string, { calendarProvider, email }: SandboxCalendar): Promise<unknown> {
  return fleet.sandbox.order('POST', path, { calendar_provider: calendarProvider, email });
}

async function book(fleet: LocalFleet, bookingId: string, version: number, type: BookingEventType): Promise<void> {
  const event = makeBookingEvent({
    bookingId,
    providerId: PROVIDER_ID,
    version,
    type,
    slot: slotAt(nextMorning(), HOURS),
    title: bookingId,
  });
  const { status } = await fleet.ingress.request('POST', '/api/calendar/booking-events', event);
  if (status !== 202) throw new Error(`${type} was answered ${status}`);
}

/** Hers, each told from what it was before a renewal. */
async function listChannels(fleet: LocalFleet): Promise<string[]> {
  interface Channel {
    readonly channel_id: string;
    readonly email: string;
    readonly expires_at: string;
  }
  const { channels } = await fleet.sandbox.order<{ channels: Channel[] }>('GET', '/channels');
  const isHers = new Set(CALENDARS.map(({ email }) => email));
  return channels.filter(({ email }) => isHers.has(email)).map((one) => `${one.channel_id} ${one.expires_at}`);
}

function untilBothAre(fleet: LocalFleet, what: string, holds: (one: ConnectionStatus) => unknown) {
  return waitUntil(`both connections to be ${what}`, async () => {
    const all = await fleet.ingress.connections(PROVIDER_ID);
    return all.length === CALENDARS.length && all.every(holds) ? all : null;
  });
}

/** Resolves when so many of the day's hours are left. */
function untilFree(fleet: LocalFleet, count: number) {
  const slots = Array.from({ length: HOURS }, (_, index) => hour(index));
  return waitUntil(`${count} free hours`, async () => {
    const { free, trusted } = await fleet.ingress.availability(PROVIDER_ID, slots);
    return trusted && free.length === count;
  });
}
