import { ProviderError } from '@bookiji/providers/contract';
import { createTestDatabase, insertConnection, type TestDatabase, untilSomebodyWaits } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type BookingStage, inHours, openBookingStage } from '../../test/booking-stage.ts';

let database: TestDatabase;
let stage: BookingStage;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  const connection = await insertConnection(database.sql);
  stage = openBookingStage(database, connection, { startsAt: (version) => inHours(24 + version) });
});

const effect = async () =>
  (
    await database.sql`
      SELECT version::int, applied_version::int, error_count, last_error, dead_at IS NOT NULL AS is_dead,
             next_attempt_at > now() AS waits, lease_until IS NULL AS is_free
        FROM booking_effects WHERE booking_id = ${stage.bookingId}`
  )[0];
const letters = () => database.sql`
  SELECT reason, payload FROM dead_letters
   WHERE subject = ${`${stage.bookingId}:${stage.connectionId}`} AND replayed_at IS NULL`;
const status = async () =>
  (await database.sql`SELECT status FROM external_calendar_connections WHERE id = ${stage.connectionId}`)[0]?.status;

describe('[O-3] an effect whose version lags its booking', () => {
  beforeEach(async () => {
    await stage.announce(1);
    await database.sql`
      UPDATE booking_intents SET version = 2, state = 'cancelled' WHERE booking_id = ${stage.bookingId}`;
  });

  test('is carried to the newest version at once', async () => {
    expect(await stage.converge()).toMatchObject({ outcome: 'converged', workAgain: false });
    expect(await effect()).toMatchObject({ version: 2, applied_version: 2 });
    expect(await stage.converge()).toEqual({ outcome: 'nothing_due' });
  });
});

describe('an error that nobody expected', () => {
  const fails = async () => {
    await expect(stage.converge()).rejects.toThrow();
    return effect();
  };

  test('[R-2] is counted and waited for, and its booking is nobody’s in the meantime', async () => {
    await stage.announce(1, 'live', { title: 'of Ada Lovelace' });
    stage.calendar.beforeEffect = () => Promise.reject(new TypeError('no such thing: of Ada Lovelace'));
    expect(await fails()).toMatchObject({
      error_count: 1,
      last_error: { kind: 'internal', reason: 'TypeError' },
      waits: true,
      is_free: true,
      is_dead: false,
    });
    expect(JSON.stringify(await effect())).not.toContain('Ada');
    expect(await stage.converge()).toEqual({ outcome: 'nothing_due' });
  });

  test('[R-2] that comes for ever becomes a dead letter', async () => {
    await stage.announce(1);
    await database.sql`UPDATE booking_effects SET error_count = 29 WHERE booking_id = ${stage.bookingId}`;
    stage.calendar.beforeEffect = () => Promise.reject(new TypeError('no such thing'));
    expect(await fails()).toMatchObject({ is_dead: true });
    expect(await letters()).toMatchObject([{ reason: 'TypeError', payload: { version: 1 } }]);
  });

  test('[R-2] in a row that the database will never take is one, too', async () => {
    await stage.announce(1);
    await database.sql`ALTER TABLE booking_effects ADD CONSTRAINT no_etags CHECK (etag IS NULL)`;
    try {
      expect(await fails()).toMatchObject({ error_count: 1, last_error: { reason: '23514' }, waits: true });
    } finally {
      await database.sql`ALTER TABLE booking_effects DROP CONSTRAINT no_etags`;
    }
  });

  test('[R-2] is not one when the database is away: nothing is counted', async () => {
    await stage.announce(1);
    stage.calendar.beforeEffect = () =>
      Promise.reject(new Error('Failed query', { cause: Object.assign(new Error(), { code: '57P01' }) }));
    expect(await fails()).toMatchObject({ error_count: 0, last_error: null });
  });
});

describe('what a failed attempt leaves behind', () => {
  test('[O-1] is all there or nothing: no booking is given up without its letter', async () => {
    await stage.announce(1);
    stage.calendar.fault = () => ({ refuse: { kind: 'permanent', reason: 'calendarNotWritable', status: 403 } });
    await database.sql`ALTER TABLE dead_letters ADD CONSTRAINT none CHECK (kind <> 'outbound_sync') NOT VALID`;
    try {
      await expect(stage.converge()).rejects.toThrow();
    } finally {
      await database.sql`ALTER TABLE dead_letters DROP CONSTRAINT none`;
    }
    expect(await effect()).toMatchObject({ is_dead: false, error_count: 0 });
    await stage.endLease();
    expect(await stage.converge()).toMatchObject({ outcome: 'failed', isDead: true });
    expect(await letters()).toHaveLength(1);
  });

  test.each(['auth_revoked', 'transient'] as const)(
    '[R-3] is nothing when its owner connects again in between, and the new grant is not parked: %s',
    async (kind) => {
      await stage.announce(1);
      stage.calendar.fault = () => ({ refuse: { kind, reason: 'fake' } });
      let converging: ReturnType<typeof stage.converge> | undefined;
      await database.sql.begin(async (tx) => {
        // As a reconnect does: the connection first, then whatever is under way for it.
        await tx`SELECT FROM external_calendar_connections WHERE id = ${stage.connectionId} FOR UPDATE`;
        converging = stage.converge();
        await untilSomebodyWaits(database.sql);
        await tx`
        UPDATE booking_effects SET lease_token = lease_token + 1, lease_owner = NULL, lease_until = NULL
         WHERE booking_id = ${stage.bookingId}`;
      });
      expect(await converging).toEqual({ outcome: 'lease_lost' });
      expect(await status()).toBe('active');
      expect(await effect()).toMatchObject({ error_count: 0, last_error: null });
    },
  );
});

describe('a calendar provider that asks for less and names no time', () => {
  const limited = () =>
    new ProviderError({
      ...{ kind: 'rate_limited', calendarProvider: 'google', operation: 'create_event', status: 403, reason: 'quota' },
      ...{ retryAfterMs: null, requestId: null, outcomeUnknown: false },
    });

  test('[R-1] uses up no attempt, however often it does, and is waited for longer each time', async () => {
    await stage.announce(1);
    await database.sql`UPDATE booking_effects SET error_count = 3 WHERE booking_id = ${stage.bookingId}`;
    stage.calendar.beforeEffect = () => Promise.reject(limited());
    for (let attempt = 1; attempt <= 40; attempt += 1) {
      await stage.wake();
      expect(await stage.converge()).toMatchObject({ outcome: 'failed', isDead: false });
    }
    expect(await effect()).toMatchObject({ error_count: 3, last_error: { times: 40 }, is_dead: false });
    await stage.wake();
    stage.calendar.beforeEffect = () => Promise.resolve();
    expect(await stage.converge()).toMatchObject({ outcome: 'converged' });
  });
});

describe('a calendar that shows a newer version than the database knows', () => {
  beforeEach(async () => {
    await stage.announce(1);
    await stage.announce(2);
    await stage.converge();
    // As after a restore: the second version never came.
    await database.sql`UPDATE booking_intents SET version = 1 WHERE booking_id = ${stage.bookingId}`;
    await database.sql`
      UPDATE booking_effects SET version = 1, applied_version = 0, external_event_id = NULL
       WHERE booking_id = ${stage.bookingId}`;
  });

  test('[O-3] is left as it is, and looked at again after a wait that is counted', async () => {
    expect(await stage.converge()).toMatchObject({ outcome: 'failed', isDead: false });
    expect(await effect()).toMatchObject({
      error_count: 1,
      waits: true,
      last_error: { reason: 'calendar_shows_newer_version' },
    });
    expect(stage.calendar.live()).toMatchObject([{ title: 'v2' }]);
    expect(await stage.converge()).toEqual({ outcome: 'nothing_due' });
  });

  test('[O-3] is given up after five sightings, whatever failed before the first', async () => {
    const timeout = { kind: 'transient', reason: 'timeout', at: new Date().toISOString() };
    await database.sql`
      UPDATE booking_effects SET error_count = 4, last_error = ${JSON.stringify(timeout)}::text::jsonb
       WHERE booking_id = ${stage.bookingId}`;
    for (let sighting = 1; sighting <= 5; sighting += 1) {
      await stage.wake();
      expect(await stage.converge()).toMatchObject({ outcome: 'failed', isDead: sighting === 5 });
    }
  });

  test('[O-3] is counted afresh for a version that came since, though it is not new enough either', async () => {
    const sightings = {
      kind: 'conflict',
      reason: 'calendar_shows_newer_version',
      at: new Date().toISOString(),
      times: 4,
    };
    await database.sql`
      UPDATE booking_effects SET error_count = 0, last_error = ${JSON.stringify(sightings)}::text::jsonb
       WHERE booking_id = ${stage.bookingId}`;
    expect(await stage.converge()).toMatchObject({ outcome: 'failed', isDead: false });
  });

  test('[O-3] becomes a dead letter that says so, and is written again with a version that is newer still', async () => {
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await stage.wake();
      expect(await stage.converge()).toMatchObject({ outcome: 'failed', isDead: attempt === 5 });
    }
    expect(await letters()).toMatchObject([{ reason: 'calendar_shows_newer_version', payload: { version: 1 } }]);
    await stage.announce(3);
    expect(await stage.converge()).toMatchObject({ outcome: 'converged', action: 'updated' });
    expect(stage.calendar.live()).toMatchObject([{ title: 'v3' }]);
  });
});

describe('a calendar that changes under every write', () => {
  const updates = () => stage.calendar.calls.filter((one) => one === 'update_event').length;
  beforeEach(async () => {
    await stage.announce(1);
    await stage.converge();
    await stage.announce(2);
    let minutes = 0;
    stage.calendar.beforeEffect = async (operation) => {
      const [event] = stage.calendar.live();
      minutes += 1;
      const later = (from: Date) => new Date(from.getTime() + minutes * 60_000);
      if (operation === 'update_event' && event !== undefined)
        stage.calendar.move(event.eventId, later(inHours(30)), later(inHours(31)));
    };
  });

  test('[O-3] ends an attempt after a few steps, which counts and waits like any failed one', async () => {
    expect(await stage.converge()).toMatchObject({ outcome: 'failed', isDead: false });
    expect(updates()).toBe(10);
    expect(await effect()).toMatchObject({
      error_count: 1,
      applied_version: 1,
      waits: true,
      is_free: true,
      last_error: { kind: 'conflict', reason: 'not_converging' },
    });
    expect(await stage.converge()).toEqual({ outcome: 'nothing_due' });
    expect(await letters()).toHaveLength(0);
  });

  test('[O-3] becomes a dead letter that says so, not a write for ever, and is written once it keeps still', async () => {
    await database.sql`UPDATE booking_effects SET error_count = 29 WHERE booking_id = ${stage.bookingId}`;
    expect(await stage.converge()).toMatchObject({ outcome: 'failed', isDead: true });
    expect(await letters()).toMatchObject([{ reason: 'not_converging', payload: { version: 2 } }]);
    await stage.wake();
    expect(await stage.converge()).toEqual({ outcome: 'nothing_due' });
    expect(updates()).toBe(10);
    expect(stage.calendar.history.map(({ version }) => version)).toEqual([1]);
    stage.calendar.beforeEffect = async () => undefined;
    await stage.announce(3);
    expect(await stage.converge()).toMatchObject({ outcome: 'converged', action: 'updated' });
  });
});
