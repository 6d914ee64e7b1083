/**
 * What operators stop and start, against a whole fleet: flags in the middle of work and under load, kill switches one by
 * one, shadow mode, and a disconnect. What stops is parked, what starts again finds everything.
 */
import { randomUUID } from 'node:crypto';
import { expectJson, type Slot, waitUntil } from '@bookiji/local-fleet';
import { ringInboundSyncs, ringOutboundSyncs } from '@bookiji/queues';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  bookedEvents,
  bookingAt,
  type ConnectedProvider,
  type RunningFleet,
  slotAt,
  startTestFleet,
  untilShown,
} from '../../../packages/local-fleet/test/fleet-harness.ts';

const ALL_ON = {
  CALENDAR_SYNC_ENABLED: true,
  CALENDAR_OAUTH_ENABLED: true,
  CALENDAR_JOBS_ENABLED: true,
  CALENDAR_WEBHOOK_ENABLED: true,
};
/** So long the calendar provider keeps a sync waiting: the next where turning a flag took the machine longer than that. */
const HOLDS_MS = [2_500, 5_000, 7_000];
const PROMISE_MS = 2_000;
const TOGGLES = 200;
const LOAD = 12;

let fleet: RunningFleet;
let google: ConnectedProvider;
let microsoft: ConnectedProvider;
beforeAll(async () => {
  // A notification refused while its flag is off is made up for by the next look, which a test need not wait long for.
  fleet = await startTestFleet({ LOG_LEVEL: 'debug', RECONCILE_INTERVAL_SECONDS: '3' });
  [google, microsoft] = await Promise.all([fleet.connect('google'), fleet.connect('microsoft')]);
}, 180_000);
afterEach(async () => {
  await setFlags(ALL_ON);
  const off = ['provider:google', 'queue:calendar-booking-events', 'queue:calendar-outbound-sync'];
  await put('/api/ops/switches', {
    switches: { ...Object.fromEntries(off.map((name) => [name, true])), shadow: false },
  });
});
afterAll(() => fleet?.close(), 180_000);

const put = <Body>(path: string, body: unknown) =>
  expectJson<Body>(`${fleet.urls.ops}${path}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${fleet.opsToken}` },
    body,
  });
const setFlags = (flags: Readonly<Record<string, boolean>>) => put('/api/ops/flags', flags);
const turn = (name: string, isOn: boolean) => put('/api/ops/switches', { switches: { [name]: isOn }, reason: 'test' });
const ask = async (provider: ConnectedProvider) =>
  (await fleet.ingress.request('POST', '/api/calendar/sync', { provider_id: provider.providerId })).status;

/** The connection, with how many syncs ever ended and the starts of its busy intervals. */
async function look({ connectionId }: ConnectedProvider) {
  const [row] = await fleet.database.sql`
    SELECT sync_needed, lease_owner IS NOT NULL AND lease_until > now() AS is_running,
           (SELECT count(*)::int FROM sync_runs WHERE connection_id = c.id) AS runs
      FROM external_calendar_connections c WHERE id = ${connectionId}`;
  const busy = await fleet.database.sql`
    SELECT extract(epoch FROM start_time)::int AS at FROM external_calendar_events
     WHERE connection_id = ${connectionId} AND booking_id IS NULL AND is_busy ORDER BY start_time`;
  return {
    syncNeeded: row?.sync_needed as boolean,
    isRunning: row?.is_running as boolean,
    runs: row?.runs as number,
    busy: busy.map(({ at }) => new Date(Number(at) * 1000).toISOString()),
  };
}
const untilBusy = (provider: ConnectedProvider, slot: Slot) =>
  waitUntil('the change to be busy time', async () => (await look(provider)).busy.includes(slot.start), 90_000);
const addEvent = ({ calendar }: ConnectedProvider, slot: Slot) =>
  fleet.sandbox.addEvent(calendar, { title: 'Private', ...slot });
const book = async (provider: ConnectedProvider, slot: Slot) => {
  const bookingId = randomUUID();
  await fleet.desk.publish(bookingAt(provider, bookingId, 1, 'booking.created', slot));
  return bookingId;
};
const shownTimes = async ({ calendar }: ConnectedProvider, bookingId: string) =>
  (await bookedEvents(fleet, calendar, bookingId)).length;

interface LogLine {
  readonly level: string;
  readonly role: string;
  readonly [field: string]: unknown;
}
const readLog = (from = 0): LogLine[] =>
  fleet.lines.slice(from).map(({ role, line }) => {
    try {
      return JSON.parse(line) as LogLine;
    } catch {
      // Not one of our lines: something was thrown past the logger.
      return { level: 'error', role, line };
    }
  });
/** Resolves when a process logs, after the given line, something with all these fields. */
const untilLogged = (from: number, fields: Readonly<Record<string, unknown>>) =>
  waitUntil(`a line with ${JSON.stringify(fields)}`, () =>
    readLog(from).find((line) => Object.entries(fields).every(([name, value]) => line[name] === value)),
  );

/** Rings both workers for this connection until both say that they may not work on it. */
async function untilParked({ connectionId }: ConnectedProvider): Promise<void> {
  const from = fleet.lines.length;
  const isParked = (role: string) =>
    readLog(from).some(
      (line) => line.role === role && line.connection_id === connectionId && line.outcome === 'parked',
    );
  await waitUntil('both workers to park work', async () => {
    await ringInboundSyncs(fleet.desk.queues, [connectionId]);
    await ringOutboundSyncs(fleet.desk.queues, [{ booking_id: randomUUID(), connection_id: connectionId }]);
    return isParked('inbound-worker') && isParked('outbound-worker');
  });
}

describe('[F-3] a flag turned off in the middle of work', () => {
  /** Turns syncs off while one is held up. */
  async function turnOffDuringSync(holdMs: number, slot: Slot) {
    // A sync that began before the change would take the delay, and end without it.
    await waitUntil('nothing to be under way', async () => {
      const { isRunning, syncNeeded } = await look(google);
      return !isRunning && !syncNeeded;
    });
    await fleet.sandbox.order('POST', '/faults', {
      provider: 'google',
      user: google.calendar.email,
      operation: 'events.list',
      answer_latency_ms: holdMs,
      times: 1,
    });
    await addEvent(google, slot);
    await waitUntil('a sync to run', async () => (await look(google)).isRunning);
    const { runs } = await look(google);
    await setFlags({ CALENDAR_SYNC_ENABLED: false });
    const turnedAt = performance.now();
    await waitUntil('the next one to be refused', async () => (await ask(google)) === 403);
    const isInTime = performance.now() - turnedAt < PROMISE_MS;
    const { isRunning } = await look(google);
    await untilBusy(google, slot);
    return { isInTime, isRunning, runs };
  }

  test('lets the running sync complete, refuses or parks the next, and on again everything is done', async () => {
    let before = { isInTime: false, isRunning: false, runs: 0 };
    for (const [turn, holdMs] of HOLDS_MS.entries()) {
      before = await turnOffDuringSync(holdMs, slotAt(10 + turn));
      if (before.isInTime && before.isRunning) break;
      if (turn === HOLDS_MS.length - 1) break;
      await setFlags(ALL_ON);
      await waitUntil('a wish to be taken again', async () => (await ask(google)) === 202);
    }
    expect(before).toMatchObject({ isInTime: true, isRunning: true });
    const done = await look(google);
    const [run] = await fleet.database.sql`
      SELECT outcome, error FROM sync_runs WHERE connection_id = ${google.connectionId} ORDER BY id DESC LIMIT 1`;
    expect([run?.outcome, run?.error, done.runs > before.runs]).toEqual(['synced', null, true]);

    const from = fleet.lines.length;
    await addEvent(google, slotAt(1));
    const bookingId = await book(google, slotAt(2));
    await untilParked(google);
    await untilLogged(from, { role: 'outbound-worker', booking_id: bookingId, outcome: 'parked' });
    const parked = await look(google);
    expect(parked).toMatchObject({ syncNeeded: true, runs: done.runs, busy: done.busy });
    expect(await shownTimes(google, bookingId)).toBe(0);

    await setFlags(ALL_ON);
    await untilBusy(google, slotAt(1));
    await untilShown(fleet, google.calendar, bookingId, slotAt(2));
    await waitUntil('a wish to be taken again', async () => (await ask(google)) === 202);
  }, 180_000);

  test(`${TOGGLES} times in a row under load: nothing is lost, nothing is done twice, no process logs an error`, async () => {
    const from = fleet.lines.length;
    const load = async (provider: ConnectedProvider) => {
      const bookings: string[] = [];
      for (let n = 0; n < LOAD; n += 1) {
        bookings.push(await book(provider, slotAt(24 + n)));
        await addEvent(provider, slotAt(48 + n));
      }
      return bookings;
    };
    const toggle = async () => {
      const names = Object.keys(ALL_ON);
      for (let count = 0; count < TOGGLES; count += 1) {
        // Off and on in turn, each flag with its neighbour, so that every pair of them is met.
        const pair = [names[(count >> 1) % 4] ?? '', names[((count >> 1) + 1) % 4] ?? ''];
        await setFlags(Object.fromEntries(pair.map((name) => [name, count % 2 === 1])));
      }
    };
    const [ofGoogle, ofMicrosoft] = await Promise.all([load(google), load(microsoft), toggle()]);
    await setFlags(ALL_ON);
    for (const [provider, bookings] of [
      [google, ofGoogle],
      [microsoft, ofMicrosoft],
    ] as const) {
      for (const [n, bookingId] of bookings.entries()) {
        await untilShown(fleet, provider.calendar, bookingId, slotAt(24 + n));
        await untilBusy(provider, slotAt(48 + n));
      }
    }
    const bad = readLog(from).filter(({ level }) => level === 'error' || level === 'fatal');
    expect(bad).toEqual([]);
    const [letters] = await fleet.database.sql`SELECT count(*)::int AS count FROM dead_letters`;
    expect(letters?.count).toBe(0);
  }, 180_000);
});

describe('kill switches', () => {
  test('a calendar provider: its work is parked while the other’s goes on, and follows once it is on', async () => {
    await turn('provider:google', false);
    await untilParked(google);
    const from = fleet.lines.length;
    const before = await look(google);
    await Promise.all([addEvent(google, slotAt(72)), addEvent(microsoft, slotAt(72))]);
    const [atGoogle, atMicrosoft] = [await book(google, slotAt(73)), await book(microsoft, slotAt(73))];
    await untilBusy(microsoft, slotAt(72));
    await untilShown(fleet, microsoft.calendar, atMicrosoft, slotAt(73));
    await untilLogged(from, { role: 'outbound-worker', booking_id: atGoogle, outcome: 'parked' });
    await waitUntil('the wish', async () => (await look(google)).syncNeeded);
    expect((await look(google)).busy).toEqual(before.busy);
    expect(await shownTimes(google, atGoogle)).toBe(0);
    await turn('provider:google', true);
    await untilBusy(google, slotAt(72));
    await untilShown(fleet, google.calendar, atGoogle, slotAt(73));
  }, 180_000);

  test('a connection: it alone waits', async () => {
    const neighbour = await fleet.connect('google');
    await turn(`connection:${google.connectionId}`, false);
    await untilParked(google);
    const from = fleet.lines.length;
    const [waiting, going] = [await book(google, slotAt(75)), await book(neighbour, slotAt(75))];
    await addEvent(google, slotAt(76));
    await untilShown(fleet, neighbour.calendar, going, slotAt(75));
    await untilLogged(from, { role: 'outbound-worker', booking_id: waiting, outcome: 'parked' });
    expect(await shownTimes(google, waiting)).toBe(0);
    expect((await look(google)).busy).not.toContain(slotAt(76).start);
    await turn(`connection:${google.connectionId}`, true);
    await untilShown(fleet, google.calendar, waiting, slotAt(75));
    await untilBusy(google, slotAt(76));
  }, 180_000);

  test.each(['calendar-booking-events', 'calendar-outbound-sync'])(
    'queue %s: its jobs wait where they are, and are done once it is on',
    async (queue) => {
      const slot = slotAt(queue === 'calendar-outbound-sync' ? 78 : 79);
      const from = fleet.lines.length;
      await turn(`queue:${queue}`, false);
      await untilLogged(from, { role: 'outbound-worker', queue, outcome: 'paused' });
      const bookingId = await book(google, slot);
      const change = slotAt(queue === 'calendar-outbound-sync' ? 80 : 81);
      await addEvent(google, change);
      // The other direction goes on.
      await untilBusy(google, change);
      expect(await shownTimes(google, bookingId)).toBe(0);
      const [intent] = await fleet.database.sql`SELECT 1 FROM booking_intents WHERE booking_id = ${bookingId}`;
      const isTakenIn = intent !== undefined;
      expect([queue, isTakenIn]).toEqual([queue, queue === 'calendar-outbound-sync']);
      await turn(`queue:${queue}`, true);
      await untilShown(fleet, google.calendar, bookingId, slot);
    },
    180_000,
  );

  test('shadow mode: a booking is planned and logged, not written, until it is lifted', async () => {
    await turn('shadow', true);
    const from = fleet.lines.length;
    const planned = await waitUntil('shadow mode to be in force', async () => {
      const booking_id = await book(google, slotAt(84));
      const done = await waitUntil('the booking to be looked at', () =>
        readLog(from).find(
          (line) => line.booking_id === booking_id && /^(shadowed|converged)$/.test(String(line.outcome)),
        ),
      );
      return done.outcome === 'shadowed' ? done : null;
    });
    const bookingId = String(planned.booking_id);
    expect(planned).toMatchObject({ action: 'create', calendar_provider: 'google', booking_version: 1 });
    await addEvent(google, slotAt(85));
    await untilBusy(google, slotAt(85));
    expect(await shownTimes(google, bookingId)).toBe(0);
    await turn('shadow', false);
    await untilShown(fleet, google.calendar, bookingId, slotAt(84));
  }, 180_000);
});

/** Living grants and channels of this provider's account. */
async function leftAtSandbox({ calendar }: ConnectedProvider) {
  const { grants } = await fleet.sandbox.order<{ grants: { email: string; revoked?: boolean }[] }>('GET', '/grants');
  const { channels } = await fleet.sandbox.order<{ channels: { email: string }[] }>('GET', '/channels');
  return {
    grants: grants.filter(({ email, revoked }) => email === calendar.email && revoked !== true).length,
    channels: channels.filter(({ email }) => email === calendar.email).length,
  };
}

describe('[S-5] disconnect from the console', () => {
  test('closes the channel, withdraws the grant and forgets the connection', async () => {
    const leaver = await fleet.connect('google');
    expect(await leftAtSandbox(leaver)).toEqual({ grants: 1, channels: 1 });
    const answer = await fetch(`${fleet.urls.ops}/connections/${leaver.connectionId}/disconnect`, {
      method: 'POST',
      headers: { authorization: `Bearer ${fleet.opsToken}` },
      body: new URLSearchParams({ reason: 'left Bookiji' }),
      redirect: 'manual',
    });
    expect(answer.status).toBe(303);
    await waitUntil(
      'the connection to be gone',
      async () => (await fleet.ingress.connections(leaver.providerId)).length === 0,
    );
    expect(await leftAtSandbox(leaver)).toEqual({ grants: 0, channels: 0 });
  }, 180_000);
});
