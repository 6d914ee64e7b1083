import { eraseConnection, findKnownEffects, storeGrant } from '@bookiji/db';
import { createFakeCalendar, createTestDatabase, type TestDatabase, untilSomebodyWaits } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { inHours } from '../../test/booking-stage.ts';
import { type ConnectStage, openConnectStage } from '../../test/connect-stage.ts';

let database: TestDatabase;
let stage: ConnectStage;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => {
  stage = openConnectStage(database, 'google');
});

const park = (status: string) =>
  database.sql`UPDATE external_calendar_connections SET status = ${status} WHERE id = ${stage.connectionId}`;
const mappings = () =>
  database.sql`SELECT sync_status FROM external_calendar_events WHERE booking_id = ${stage.bookingId}`;

describe('a calendar that was disabled and is connected again', () => {
  beforeEach(async () => {
    await stage.connect();
    await stage.announce(1);
  });

  test('[O-1] loses the event of a booking that was cancelled meanwhile', async () => {
    await stage.converge();
    await park('disabled');
    await stage.announce(2, 'cancelled');
    await stage.connect();
    expect(await stage.converge()).toMatchObject({ outcome: 'converged', action: 'deleted' });
    expect(stage.calendar.live()).toEqual([]);
  });

  test('[O-1] gets a booking that was moved before it was ever written, once, and then nothing is due', async () => {
    await park('disabled');
    await stage.announce(2, 'live', { startAt: inHours(30) });
    await stage.connect();
    expect(await stage.converge()).toMatchObject({ outcome: 'converged', action: 'created' });
    expect(stage.calendar.live()).toMatchObject([{ title: 'v2', startAt: inHours(30) }]);
    expect(await stage.converge()).toEqual({ outcome: 'nothing_due' });
  });
});

describe('a calendar that was disconnected and is connected again', () => {
  beforeEach(async () => {
    await stage.connect();
    await stage.announce(1);
    await stage.converge();
    await eraseConnection(database.db, stage.connectionId);
  });

  test('[O-1] loses the event of a booking that was cancelled meanwhile', async () => {
    await stage.announce(2, 'cancelled');
    expect(await stage.connect()).toMatchObject({ bookingIds: [stage.bookingId] });
    expect(await stage.converge()).toMatchObject({ outcome: 'converged', action: 'deleted' });
    expect(stage.calendar.live()).toEqual([]);
    expect(await mappings()).toEqual([{ sync_status: 'CANCELLED' }]);
  });

  test('[O-1] shows where it belongs a booking that was moved into the past meanwhile', async () => {
    await stage.announce(2, 'live', { startAt: inHours(-5) });
    await stage.connect();
    expect(await stage.converge()).toMatchObject({ action: 'updated' });
    expect(stage.calendar.live()).toMatchObject([{ title: 'v2', startAt: inHours(-5) }]);
  });

  test('[O-3] finds the event of a booking that is as it was, without asking for a second one', async () => {
    await stage.connect();
    const before = stage.calendar.calls.length;
    expect(await stage.converge()).toMatchObject({ action: 'adopted' });
    expect(stage.calendar.calls.slice(before)).toEqual(['find_event']);
    expect(stage.calendar.live()).toHaveLength(1);
  });

  test('[I-3] knows the event for the booking’s before anybody has looked at it, so it is not its owner’s time', async () => {
    const eventId = stage.calendar.live()[0]?.eventId ?? '';
    await stage.announce(2, 'cancelled');
    await stage.connect();
    expect(await findKnownEffects(database.db, stage.connectionId, [eventId], [], [])).toMatchObject([
      { bookingId: stage.bookingId },
    ]);
  });

  test('[O-1] by another account ends with nothing to do for a cancelled booking, and leaves no mapping', async () => {
    await stage.announce(2, 'cancelled');
    stage.calendar = createFakeCalendar();
    await stage.connect('another');
    expect(await stage.converge()).toMatchObject({ outcome: 'converged', action: 'none', workAgain: false });
    expect(stage.calendar.calls).toEqual(['find_event']);
    expect(await mappings()).toEqual([]);
    expect(await stage.converge()).toEqual({ outcome: 'nothing_due' });
  });

  test('[O-1] asks for nothing that has ended in every version', async () => {
    await database.sql`
      UPDATE booking_intents SET start_time = now() - interval '2 hours', end_time = now() - interval '1 hour'
       WHERE booking_id = ${stage.bookingId}`;
    expect(await stage.connect()).toMatchObject({ bookingIds: [] });
  });
});

describe('connecting', () => {
  test('[O-3] another account takes what is under way from whoever is at it', async () => {
    await stage.connect();
    await stage.announce(1);
    const former = stage.calendar;
    former.beforeEffect = async (operation) => {
      if (operation !== 'create_event') return;
      former.beforeEffect = async () => undefined;
      await stage.connect('another');
      // Its record comes late, while the one that took over is at work.
      stage.calendar = createFakeCalendar();
      stage.calendar.fault = () => ({ refuse: { kind: 'rate_limited', retryAfterMs: 1_000 } });
      await stage.converge();
    };
    expect(await stage.converge()).toEqual({ outcome: 'lease_lost' });
    const [effect] = await database.sql`
      SELECT applied_version::int, external_event_id FROM booking_effects WHERE booking_id = ${stage.bookingId}`;
    expect(effect).toEqual({ applied_version: 0, external_event_id: null });
  });

  test('[R-3] again while a write is being recorded makes neither fail: both take the connection first', async () => {
    await stage.connect();
    await stage.announce(1);
    let converging: ReturnType<typeof stage.converge> | undefined;
    await database.db.transaction(async (tx) => {
      await tx.execute(`SELECT FROM external_calendar_connections WHERE id = '${stage.connectionId}' FOR UPDATE`);
      converging = stage.converge();
      await untilSomebodyWaits(database.sql);
      await storeGrant(tx, {
        connectionId: stage.connectionId,
        providerId: stage.providerId,
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
    expect(await stage.converge()).toMatchObject({ outcome: 'converged', action: 'adopted' });
  });

  test('[O-1] adopts the next few hundred bookings with the grant, and leaves the rest to the sweep at once', async () => {
    await database.sql`
      INSERT INTO booking_intents (booking_id, provider_id, version, state, start_time, end_time, details, event_id)
      SELECT gen_random_uuid(), ${stage.providerId}, 1, 'live', now() + n * interval '1 hour',
             now() + (n + 1) * interval '1 hour', '{"title": "Haircut", "time_zone": "UTC"}', gen_random_uuid()
        FROM generate_series(1, 320) AS n`;
    const connected = await stage.connect();
    expect(connected.outcome === 'connected' && connected.bookingIds.length).toBe(300);
    const [turn] = await database.sql`
      SELECT adopt_at <= now() AS is_due FROM external_calendar_connections WHERE id = ${stage.connectionId}`;
    expect(turn).toEqual({ is_due: true });
    const [left] = await database.sql`
      SELECT count(*)::int AS n, min(start_time) > now() + interval '299 hours' AS are_later FROM booking_intents i
       WHERE provider_id = ${stage.providerId}
         AND NOT EXISTS (SELECT FROM booking_effects e WHERE e.booking_id = i.booking_id)`;
    expect(left).toEqual({ n: 20, are_later: true });
  });

  test('[O-1] is not done when its bookings cannot be adopted: no calendar is left that no booking goes to', async () => {
    await stage.announce(1);
    await database.sql`ALTER TABLE booking_effects ADD CONSTRAINT none CHECK (creation_key IS NULL) NOT VALID`;
    try {
      await expect(stage.connect()).rejects.toThrow();
      expect(
        await database.sql`SELECT FROM external_calendar_connections WHERE id = ${stage.connectionId}`,
      ).toHaveLength(0);
    } finally {
      await database.sql`ALTER TABLE booking_effects DROP CONSTRAINT none`;
    }
    expect(await stage.connect()).toMatchObject({ outcome: 'connected', bookingIds: [stage.bookingId] });
  });
});
