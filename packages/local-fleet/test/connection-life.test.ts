/** The whole life of a connection at both calendar providers, over HTTP alone, as a new user and the booking service see it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CalendarProvider, makeBookingEvent, type SandboxCalendar, type Slot, waitUntil } from '../src/index.ts';
import { type RunningFleet, slotAt, startTestFleet, untilFree, untilShown } from './fleet-harness.ts';

const SLOTS = [slotAt(0), slotAt(1), slotAt(2)];
const LONG = 180_000;
const PROVIDERS: readonly CalendarProvider[] = ['google', 'microsoft'];

/** An operator's own registrations, whose quotas nobody else uses up. */
const OWN_APPLICATIONS = { GOOGLE_CLIENT_ID: 'own-google', MICROSOFT_CLIENT_ID: 'own-microsoft' };

let fleet: RunningFleet;
beforeAll(async () => {
  fleet = await startTestFleet({ REDIS_URL: '', ...OWN_APPLICATIONS });
}, LONG);
afterAll(() => fleet?.close(), LONG);

interface Life {
  readonly providerId: string;
  readonly calendar: SandboxCalendar;
  connectionId: string;
}

const lives = new Map<CalendarProvider, Life>();
const lifeAt = (calendarProvider: CalendarProvider) => lives.get(calendarProvider) as Life;

interface SandboxChannel {
  readonly channel_id: string;
  readonly email: string;
  readonly expires_at: string;
}

const connectionOf = async ({ providerId }: Life) => (await fleet.ingress.connections(providerId))[0];
const channelsOf = async ({ calendar }: Life) => {
  const { channels } = await fleet.sandbox.order<{ channels: SandboxChannel[] }>('GET', '/channels');
  return channels.filter(({ email }) => email === calendar.email);
};
const requestsOf = async (operation: string) => {
  const { total } = await fleet.sandbox.order<{ total: number }>('GET', `/requests?operation=${operation}`);
  return total;
};

/** As one process counted them. */
async function countedCalls(role: 'ingress' | 'retry-worker', calendarProvider: CalendarProvider, operation: string) {
  const text = await (await fetch(`${fleet.urls[role]}/metrics`)).text();
  const labels = `calendar_provider="${calendarProvider}",operation="${operation}",outcome="ok"`;
  return Number(new RegExp(`^calendar_provider_requests_total{${labels},.*} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

async function book(life: Life, bookingId: string, version: number, slot: Slot | null): Promise<void> {
  const type = slot === null ? 'booking.cancelled' : version === 1 ? 'booking.created' : 'booking.updated';
  const event = makeBookingEvent({
    bookingId,
    providerId: life.providerId,
    version,
    type,
    slot: slot ?? slotAt(4),
    title: bookingId,
  });
  const answer = await fleet.ingress.request('POST', '/api/calendar/booking-events', event);
  expect(answer.status).toBe(202);
}

/** Lets the fleet look for due work this many times more. */
async function letItSweep(times: number): Promise<void> {
  const seen = new Set<string>();
  await waitUntil(
    `${times} sweeps`,
    async () => {
      const text = await (await fetch(`${fleet.urls['retry-worker']}/metrics`)).text();
      seen.add(/sweep_last_success_timestamp_seconds\{[^}]*due_connections[^}]*\} (\S+)/.exec(text)?.[1] ?? '');
      return seen.size > times;
    },
    180_000,
  );
}

describe.each(PROVIDERS)('a connection at %s', (calendarProvider) => {
  test(
    '[A-1] begins with a link and a consent, and is synced and watched',
    async () => {
      const providerId = randomUUID();
      const calendar = { calendarProvider, email: `life-${providerId.slice(0, 8)}@${calendarProvider}.example` };
      await fleet.sandbox.putUser({
        calendar_provider: calendarProvider,
        email: calendar.email,
        time_zone: 'Europe/Rome',
      });
      await fleet.sandbox.addEvent(calendar, { title: 'Before', ...slotAt(0) });
      expect((await fleet.ingress.availability(providerId, SLOTS)).trusted).toBe(false);
      const connectionId = await fleet.ingress.connectCalendar(providerId, calendarProvider, calendar.email);
      lives.set(calendarProvider, { providerId, calendar, connectionId });
      await untilFree(fleet, providerId, SLOTS, [slotAt(1), slotAt(2)]);
      await waitUntil('the channel', async () => (await channelsOf(lifeAt(calendarProvider))).length === 1);
      expect(await connectionOf(lifeAt(calendarProvider))).toMatchObject({
        id: connectionId,
        status: 'active',
        status_reason: null,
        error_count: 0,
        last_error: null,
      });
      expect(await countedCalls('ingress', calendarProvider, 'exchange_code')).toBeGreaterThan(0);
    },
    LONG,
  );

  test(
    '[I-4] [O-1] carries changes and bookings both ways',
    async () => {
      const life = lifeAt(calendarProvider);
      const event = await fleet.sandbox.addEvent(life.calendar, { title: 'Dentist', ...slotAt(1) });
      await untilFree(fleet, life.providerId, SLOTS, [slotAt(2)]);
      await fleet.sandbox.deleteEvent(life.calendar, event.id);
      await untilFree(fleet, life.providerId, SLOTS, [slotAt(1), slotAt(2)]);
      const bookingId = randomUUID();
      for (const [version, slot] of [slotAt(4), slotAt(6), null].entries()) {
        await book(life, bookingId, version + 1, slot);
        await untilShown(fleet, life.calendar, bookingId, slot);
      }
    },
    LONG,
  );

  test(
    '[A-1] [W-2] renews its token and its channel and misses nothing on the way',
    async () => {
      const life = lifeAt(calendarProvider);
      const [before] = await channelsOf(life);
      await fleet.sandbox.order('POST', '/tokens/expire', { email: life.calendar.email });
      const refreshes = await requestsOf('oauth.token');
      const event = await fleet.sandbox.addEvent(life.calendar, { title: 'With a new token', ...slotAt(1) });
      await untilFree(fleet, life.providerId, SLOTS, [slotAt(2)]);
      expect(await requestsOf('oauth.token')).toBe(refreshes + 1);

      const reopen = `${fleet.urls.ops}/connections/${life.connectionId}/reopen-channel`;
      await fetch(reopen, {
        method: 'POST',
        headers: { authorization: `Bearer ${fleet.opsToken}` },
        redirect: 'manual',
      });
      await waitUntil('one renewed channel', async () => {
        const [now, ...others] = await channelsOf(life);
        const isRenewed =
          now !== undefined && (now.channel_id !== before?.channel_id || now.expires_at > before.expires_at);
        return others.length === 0 && isRenewed;
      });
      await fleet.sandbox.deleteEvent(life.calendar, event.id);
      await untilFree(fleet, life.providerId, SLOTS, [slotAt(1), slotAt(2)]);
    },
    LONG,
  );

  test(
    '[R-3] loses its grant, says so in words, and asks for nothing any more',
    async () => {
      const life = lifeAt(calendarProvider);
      await fleet.sandbox.order('POST', '/grants/revoke', { email: life.calendar.email });
      await fleet.sandbox.addEvent(life.calendar, { title: 'Unseen', ...slotAt(2) });
      // Graph falls silent with the grant: it shows at the next look, whoever asks for it.
      await fleet.ingress.request('POST', '/api/calendar/sync', { provider_id: life.providerId });
      await waitUntil(
        'the connection to be parked',
        async () => (await connectionOf(life))?.status === 'reauth_required',
      );
      expect(await connectionOf(life)).toMatchObject({
        status_reason: 'The calendar account no longer grants access. Connect the calendar again.',
      });
      const answer = await fleet.ingress.availability(life.providerId, SLOTS);
      expect(answer.trusted).toBe(false);
      await fleet.sandbox.order('DELETE', '/requests');
      const bookings = [randomUUID(), randomUUID(), randomUUID()];
      for (const [index, bookingId] of bookings.entries()) {
        await book(life, bookingId, 1, slotAt(4 + index));
        await book(life, bookingId, 2, slotAt(5 + index));
      }
      await fleet.ingress.request('POST', '/api/calendar/sync', { provider_id: life.providerId });
      await letItSweep(5);
      expect(await fleet.sandbox.order('GET', '/requests')).toMatchObject({ total: 0 });
      expect((await connectionOf(life))?.status).toBe('reauth_required');

      // Connecting again keeps the id; what changed and what was booked meanwhile arrives, each booking once.
      expect(await fleet.ingress.connectCalendar(life.providerId, calendarProvider, life.calendar.email)).toBe(
        life.connectionId,
      );
      await untilFree(fleet, life.providerId, SLOTS, [slotAt(1)]);
      for (const [index, bookingId] of bookings.entries()) {
        await untilShown(fleet, life.calendar, bookingId, slotAt(5 + index));
      }
      for (const bookingId of bookings) {
        const { entries } = await fleet.sandbox.order<{ entries: { title: string | null }[] }>(
          'GET',
          `/history?calendar=${encodeURIComponent(life.calendar.email)}`,
        );
        // Once, and in its last state.
        expect(entries.filter(({ title }) => title === bookingId)).toHaveLength(1);
      }
      expect(await connectionOf(life)).toMatchObject({ status: 'active', status_reason: null, last_error: null });
      await waitUntil('one channel', async () => (await channelsOf(life)).length === 1);
    },
    LONG,
  );

  test(
    '[A-1] ends: its channel is stopped, its grant revoked where that can be done, its rows are gone',
    async () => {
      const life = lifeAt(calendarProvider);
      const ended = await fleet.ingress.request('DELETE', `/api/calendar/connections/${life.connectionId}`);
      expect(ended.status).toBe(204);
      expect(await fleet.ingress.connections(life.providerId)).toEqual([]);
      expect(await channelsOf(life)).toEqual([]);
      const { grants } = await fleet.sandbox.order<{ grants: { email: string; revoked: boolean }[] }>('GET', '/grants');
      const isRevoked = grants.filter(({ email }) => email === life.calendar.email).every(({ revoked }) => revoked);
      expect(isRevoked).toBe(calendarProvider === 'google');
      if (isRevoked) expect(await countedCalls('retry-worker', calendarProvider, 'revoke_token')).toBeGreaterThan(0);
      const [left] = await fleet.database.sql`
        SELECT (SELECT count(*) FROM external_calendar_connections WHERE id = ${life.connectionId})::int AS connections,
               (SELECT count(*) FROM external_calendar_events WHERE connection_id = ${life.connectionId})::int AS events,
               (SELECT count(*) FROM channels WHERE connection_id = ${life.connectionId})::int AS channels`;
      expect(left).toEqual({ connections: 0, events: 0, channels: 0 });
      expect(await fleet.ingress.availability(life.providerId, SLOTS)).toMatchObject({ trusted: false, evidence: [] });
      const again = await fleet.ingress.request('DELETE', `/api/calendar/connections/${life.connectionId}`);
      expect(again.status).toBe(404);
    },
    LONG,
  );

  test(
    '[A-1] [O-3] may begin again under its old id, and finds the bookings it once wrote',
    async () => {
      const life = lifeAt(calendarProvider);
      const shown = await fleet.sandbox.listEvents(
        life.calendar,
        new Date(slotAt(0).start),
        new Date(slotAt(12).start),
      );
      expect(await fleet.ingress.connectCalendar(life.providerId, calendarProvider, life.calendar.email)).toBe(
        life.connectionId,
      );
      await untilFree(fleet, life.providerId, SLOTS, [slotAt(1)]);
      await waitUntil('its bookings to be mapped', async () => {
        const [row] = await fleet.database.sql`
          SELECT count(*)::int AS mapped FROM external_calendar_events
           WHERE connection_id = ${life.connectionId} AND booking_id IS NOT NULL AND sync_status = 'CREATED'`;
        return row?.mapped === 3;
      });
      const now = await fleet.sandbox.listEvents(life.calendar, new Date(slotAt(0).start), new Date(slotAt(12).start));
      expect(now.map(({ id }) => id).sort()).toEqual(shown.map(({ id }) => id).sort());
    },
    LONG,
  );

  test('[A-1] has the operator’s own application in every grant and every call', async () => {
    interface Seen {
      readonly calendar_provider: string;
      readonly client_id: string | null;
      readonly user: string | null;
    }
    const { recent } = await fleet.sandbox.order<{ recent: Seen[] }>('GET', '/requests?recent=2000');
    const { grants } = await fleet.sandbox.order<{ grants: Omit<Seen, 'user'>[] }>('GET', '/grants');
    const ours = [...recent.filter(({ user }) => user !== null), ...grants].filter(
      (one) => one.calendar_provider === calendarProvider,
    );
    expect(ours.length).toBeGreaterThan(5);
    expect([...new Set(ours.map(({ client_id }) => client_id))]).toEqual([`own-${calendarProvider}`]);
  });
});
