/** A running fleet of real processes for one test file: own database, own queue prefix, own ports, own sandbox. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '@bookiji/runtime';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import {
  type BookingDesk,
  type BookingWish,
  type CalendarProvider,
  LOCAL_PORT_VARIABLES,
  type LocalFleet,
  localDoors,
  makeBookingEvent,
  openBookingDesk,
  type SandboxCalendar,
  type Slot,
  startLocalFleet,
  waitUntil,
} from '../src/index.ts';

const HOUR_MS = 3_600_000;

export interface RunningFleet extends LocalFleet {
  readonly database: TestDatabase;
  readonly desk: BookingDesk;
  /** Every line that a process wrote. */
  readonly lines: readonly { readonly role: string; readonly line: string }[];
  /** A new provider with one connected, synced and watched calendar. */
  connect(calendarProvider: CalendarProvider): Promise<ConnectedProvider>;
  close(): Promise<void>;
}

export interface ConnectedProvider {
  readonly providerId: string;
  readonly connectionId: string;
  readonly calendar: SandboxCalendar;
}

export async function startTestFleet(over: Environment = {}): Promise<RunningFleet> {
  const database = await createTestDatabase();
  const stateDir = mkdtempSync(join(tmpdir(), 'calsync-fleet-'));
  const lines: { role: string; line: string }[] = [];
  const fleet = await startLocalFleet({
    environment: {
      ...process.env,
      ...Object.fromEntries(LOCAL_PORT_VARIABLES.map((name) => [name, '0'])),
      DATABASE_URL: database.url,
      ...localDoors(database.url),
      QUEUE_PREFIX: `{test-${randomUUID().slice(0, 8)}}`,
      SWEEP_INTERVAL_MS: '300',
      BACKOFF_BASE_SECONDS: '1',
      BACKOFF_MAX_SECONDS: '5',
      ...over,
    },
    stateDir,
    onLine: (role, line) => lines.push({ role, line }),
  });
  const desk = openBookingDesk(fleet.environment);
  const running: RunningFleet = {
    ...fleet,
    database,
    desk,
    lines,
    connect: (calendarProvider) => connectNewProvider(fleet, calendarProvider),
    async close() {
      await desk.close();
      await fleet.stop();
      await database.drop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
  try {
    await fleet.ready();
    return running;
  } catch (error) {
    await running.close();
    throw error;
  }
}

async function connectNewProvider(fleet: LocalFleet, calendarProvider: CalendarProvider): Promise<ConnectedProvider> {
  const providerId = randomUUID();
  const calendar = { calendarProvider, email: `p-${providerId.slice(0, 8)}@${calendarProvider}.example` };
  await fleet.sandbox.putUser({
    calendar_provider: calendarProvider,
    email: calendar.email,
    time_zone: 'America/Toronto',
  });
  const connectionId = await fleet.ingress.connectCalendar(providerId, calendarProvider, calendar.email);
  await waitUntil('the first sync and the channel', async () => {
    const [connection] = await fleet.ingress.connections(providerId);
    return connection?.last_synced_at && connection.channel_expires_at;
  });
  return { providerId, connectionId, calendar };
}

/** Looked up once: the slot that a test names before midnight is the same one after it. */
const TOMORROW_AT_NINE = new Date(Date.now() + 24 * HOUR_MS).setUTCHours(9, 0, 0, 0);

/** Nine o'clock UTC of tomorrow, plus hours. */
export function slotAt(hour: number, hours = 1): Slot {
  const start = TOMORROW_AT_NINE + hour * HOUR_MS;
  return { start: new Date(start).toISOString(), end: new Date(start + hours * HOUR_MS).toISOString() };
}

export function bookingAt(
  provider: ConnectedProvider,
  bookingId: string,
  version: number,
  type: BookingWish['type'],
  slot: Slot,
) {
  return makeBookingEvent({ bookingId, providerId: provider.providerId, version, type, slot, title: bookingId });
}

/** The living events that carry a booking, by the title that {@link bookingAt} gives them. */
export async function bookedEvents(fleet: LocalFleet, calendar: SandboxCalendar, bookingId: string) {
  const from = new Date(Date.now() - 24 * HOUR_MS);
  const to = new Date(Date.now() + 10 * 24 * HOUR_MS);
  return (await fleet.sandbox.listEvents(calendar, from, to)).filter(({ title }) => title === bookingId);
}

/** Resolves when the booking shows exactly once, at this slot (never, for null). */
export function untilShown(
  fleet: LocalFleet,
  calendar: SandboxCalendar,
  bookingId: string,
  slot: Slot | null,
  withinMs?: number,
) {
  const isShown = async () => {
    const shown = await bookedEvents(fleet, calendar, bookingId);
    if (slot === null) return shown.length === 0;
    return shown.length === 1 && Date.parse(shown[0]?.start ?? '') === Date.parse(slot.start);
  };
  return waitUntil(`booking to be ${slot === null ? 'gone' : 'shown'}`, isShown, withinMs);
}

/** Resolves when exactly these slots, of those asked, are free and the answer is trusted. */
export function untilFree(
  fleet: LocalFleet,
  providerId: string,
  asked: readonly Slot[],
  free: readonly Slot[],
  withinMs?: number,
) {
  const isFree = async () => {
    const answer = await fleet.ingress.availability(providerId, asked);
    return answer.trusted && JSON.stringify(answer.free) === JSON.stringify(free);
  };
  return waitUntil('the free slots', isFree, withinMs);
}
