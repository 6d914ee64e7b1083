import { randomBytes, randomUUID } from 'node:crypto';
import { acceptBookingIntent, eraseConnection, findKnownEffects, storeGrant } from '@bookiji/db';
import type { OAuthPort } from '@bookiji/providers/contract';
import {
  createFakeCalendar,
  createTestDatabase,
  type FakeCalendar,
  type TestDatabase,
  untilSomebodyWaits,
} from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { convergeBooking } from '../outbound/converge-booking.ts';
import { connectionIdOf, connectProvider } from './connect-provider.ts';

let database: TestDatabase;
let calendar: FakeCalendar;
let providerId: string;
let connectionId: string;
let bookingId: string;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => {
  calendar = createFakeCalendar();
  providerId = randomUUID();
  connectionId = connectionIdOf(providerId, 'google');
  bookingId = randomUUID();
});

const HOUR_MS = 3_600_000;
const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
const inHours = (hours: number) => new Date(now + hours * HOUR_MS);
const never = new AbortController().signal;
const keys = [{ id: 'k1', key: randomBytes(32) }] as const;

function connect(accountId = 'mine') {
  const grant = { accessToken: 'a', refreshToken: 'r', expiresInSeconds: 3_600, scopes: [] };
  const oauth = {
    calendarProvider: 'google',
    exchangeCode: async () => grant,
    missingScopes: () => [],
    identify: async () => ({ accountId, email: null }),
  } as unknown as OAuthPort;
  const consent = { providerId, calendarProvider: 'google', code: 'c', codeVerifier: 'v', redirectUri: 'u' } as const;
  return connectProvider({ db: database.db, keys, oauth }, consent, never);
}

function announce(version: number, state: 'live' | 'cancelled', startsInHours: number) {
  return acceptBookingIntent(database.db, {
    eventId: randomUUID(),
    bookingId,
    providerId,
    version,
    state,
    startAt: inHours(startsInHours),
    endAt: inHours(startsInHours + 1),
    details: { title: `v${version}`, time_zone: 'UTC' },
  });
}

const converge = (leaseMs = 20_000) =>
  convergeBooking(
    {
      db: database.db,
      openCalendar: () => calendar.port,
      owner: 'me',
      backoff: { baseSeconds: 60, maxSeconds: 600 },
      leaseMs,
      random: () => 0,
    },
    { bookingId, connectionId },
    never,
  );
const park = (status: string) =>
  database.sql`UPDATE external_calendar_connections SET status = ${status} WHERE id = ${connectionId}`;
const mappings = () => database.sql`SELECT sync_status FROM external_calendar_events WHERE booking_id = ${bookingId}`;

describe('a calendar that was disabled and is connected again', () => {
  beforeEach(async () => {
    await connect();
    await announce(1, 'live', 24);
  });

  test('[O-1] loses the event of a booking that was cancelled meanwhile', async () => {
    await converge();
    await park('disabled');
    await announce(2, 'cancelled', 24);
    await connect();
    expect(await converge()).toMatchObject({ outcome: 'converged', action: 'deleted' });
    expect(calendar.live()).toEqual([]);
  });

  test('[O-1] gets a booking that was moved before it was ever written, once, and then nothing is due', async () => {
    await park('disabled');
    await announce(2, 'live', 30);
    await connect();
    expect(await converge()).toMatchObject({ outcome: 'converged', action: 'created' });
    expect(calendar.live()).toMatchObject([{ title: 'v2', startAt: inHours(30) }]);
    expect(await converge()).toEqual({ outcome: 'nothing_due' });
  });
});

describe('a calendar that was disconnected and is connected again', () => {
  beforeEach(async () => {
    await connect();
    await announce(1, 'live', 24);
    await converge();
    await eraseConnection(database.db, connectionId);
  });

  test('[O-1] loses the event of a booking that was cancelled meanwhile', async () => {
    await announce(2, 'cancelled', 24);
    expect(await connect()).toMatchObject({ bookingIds: [bookingId] });
    expect(await converge()).toMatchObject({ outcome: 'converged', action: 'deleted' });
    expect(calendar.live()).toEqual([]);
    expect(await mappings()).toEqual([{ sync_status: 'CANCELLED' }]);
  });

  test('[O-1] shows where it belongs a booking that was moved into the past meanwhile', async () => {
    await announce(2, 'live', -5);
    await connect();
    expect(await converge()).toMatchObject({ action: 'updated' });
    expect(calendar.live()).toMatchObject([{ title: 'v2', startAt: inHours(-5) }]);
  });

  test('[O-3] finds the event of a booking that is as it was, without asking for a second one', async () => {
    await connect();
    const before = calendar.calls.length;
    expect(await converge()).toMatchObject({ action: 'adopted' });
    expect(calendar.calls.slice(before)).toEqual(['find_event']);
    expect(calendar.live()).toHaveLength(1);
  });

  test('[I-3] knows the event for the booking’s before anybody has looked at it, so it is not its owner’s time', async () => {
    const eventId = calendar.live()[0]?.eventId ?? '';
    await announce(2, 'cancelled', 24);
    await connect();
    expect(await findKnownEffects(database.db, connectionId, [eventId], [], [])).toMatchObject([{ bookingId }]);
  });

  test('[O-1] by another account ends with nothing to do for a cancelled booking, and leaves no mapping', async () => {
    await announce(2, 'cancelled', 24);
    calendar = createFakeCalendar();
    await connect('another');
    expect(await converge()).toMatchObject({ outcome: 'converged', action: 'none', workAgain: false });
    expect(calendar.calls).toEqual(['find_event']);
    expect(await mappings()).toEqual([]);
    expect(await converge()).toEqual({ outcome: 'nothing_due' });
  });

  test('[O-1] asks for nothing that has ended in every version', async () => {
    await database.sql`
      UPDATE booking_intents SET start_time = now() - interval '2 hours', end_time = now() - interval '1 hour'
       WHERE booking_id = ${bookingId}`;
    expect(await connect()).toMatchObject({ bookingIds: [] });
  });
});

describe('connecting', () => {
  test('[O-3] another account takes what is under way from whoever is at it', async () => {
    await connect();
    await announce(1, 'live', 24);
    const former = calendar;
    former.beforeEffect = async (operation) => {
      if (operation !== 'create_event') return;
      former.beforeEffect = async () => undefined;
      await connect('another');
      // Its record comes late, while the one that took over is at work.
      calendar = createFakeCalendar();
      calendar.fault = () => ({ refuse: { kind: 'rate_limited', retryAfterMs: 1_000 } });
      await converge();
    };
    expect(await converge()).toEqual({ outcome: 'lease_lost' });
    const [effect] = await database.sql`
      SELECT applied_version::int, external_event_id FROM booking_effects WHERE booking_id = ${bookingId}`;
    expect(effect).toEqual({ applied_version: 0, external_event_id: null });
  });

  test('[R-3] again while a write is being recorded makes neither fail: both take the connection first', async () => {
    await connect();
    await announce(1, 'live', 24);
    let converging: ReturnType<typeof converge> | undefined;
    await database.db.transaction(async (tx) => {
      await tx.execute(`SELECT FROM external_calendar_connections WHERE id = '${connectionId}' FOR UPDATE`);
      converging = converge();
      await untilSomebodyWaits(database.sql);
      await storeGrant(tx, {
        connectionId,
        providerId,
        calendarProvider: 'google',
        externalCalendarId: 'primary',
        accountId: 'mine',
        providerEmail: null,
        accessTokenSealed: 'sealed',
        refreshTokenSealed: 'sealed',
        accessTokenExpiresInSeconds: 3_600,
        scopes: [],
      });
    });
    expect(await converging).toEqual({ outcome: 'lease_lost' });
    expect(await converge()).toMatchObject({ outcome: 'converged', action: 'adopted' });
  });

  test('[O-1] adopts the next few hundred bookings with the grant, and leaves the rest to the sweep at once', async () => {
    await database.sql`
      INSERT INTO booking_intents (booking_id, provider_id, version, state, start_time, end_time, details, event_id)
      SELECT gen_random_uuid(), ${providerId}, 1, 'live', now() + n * interval '1 hour', now() + (n + 1) * interval '1 hour',
             '{"title": "Haircut", "time_zone": "UTC"}', gen_random_uuid()
        FROM generate_series(1, 320) AS n`;
    const connected = await connect();
    expect(connected.outcome === 'connected' && connected.bookingIds.length).toBe(300);
    const [turn] = await database.sql`
      SELECT adopt_at <= now() AS is_due FROM external_calendar_connections WHERE id = ${connectionId}`;
    expect(turn).toEqual({ is_due: true });
    const [left] = await database.sql`
      SELECT count(*)::int AS n, min(start_time) > now() + interval '299 hours' AS are_later FROM booking_intents i
       WHERE provider_id = ${providerId} AND NOT EXISTS (SELECT FROM booking_effects e WHERE e.booking_id = i.booking_id)`;
    expect(left).toEqual({ n: 20, are_later: true });
  });

  test('[O-1] is not done when its bookings cannot be adopted: no calendar is left that no booking goes to', async () => {
    await announce(1, 'live', 24);
    await database.sql`ALTER TABLE booking_effects ADD CONSTRAINT none CHECK (creation_key IS NULL) NOT VALID`;
    try {
      await expect(connect()).rejects.toThrow();
      expect(await database.sql`SELECT FROM external_calendar_connections WHERE id = ${connectionId}`).toHaveLength(0);
    } finally {
      await database.sql`ALTER TABLE booking_effects DROP CONSTRAINT none`;
    }
    expect(await connect()).toMatchObject({ outcome: 'connected', bookingIds: [bookingId] });
  });
});
