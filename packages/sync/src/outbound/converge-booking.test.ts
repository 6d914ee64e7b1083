import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type BookingStage, openBookingStage } from '../../test/booking-stage.ts';
import { icalUidOf } from './event-identity.ts';

let database: TestDatabase;
let stage: BookingStage;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  stage = openBookingStage(database, await insertConnection(database.sql), {
    startsAt: (version) => at(8 + version),
    // Far shorter than the minute that a calendar asks for below, so that it shows which of the two was waited for.
    backoff: { baseSeconds: 1, maxSeconds: 10 },
  });
});

const at = (hour: number) => new Date(Date.UTC(2026, 10, 24, hour));

describe('a booking in a calendar', () => {
  test('[O-1] appears, moves and disappears as one event with one mapping', async () => {
    await stage.announce(1);
    expect(await stage.converge()).toMatchObject({ outcome: 'converged', action: 'created' });
    expect(await stage.mapping()).toMatchObject({ sync_status: 'CREATED', is_busy: true });
    await stage.announce(2);
    expect(await stage.converge()).toMatchObject({ action: 'updated' });
    expect(stage.calendar.live()).toMatchObject([{ title: 'v2', startAt: at(10) }]);
    expect(await stage.mapping()).toMatchObject({ sync_status: 'UPDATED', is_busy: true });
    await stage.announce(3, 'cancelled');
    expect(await stage.converge()).toMatchObject({ action: 'deleted' });
    expect(stage.calendar.live()).toEqual([]);
    expect(await stage.mapping()).toMatchObject({
      sync_status: 'CANCELLED',
      is_busy: false,
      external_event_id: expect.any(String),
    });
    const rows = await database.sql`SELECT FROM external_calendar_events WHERE booking_id = ${stage.bookingId}`;
    expect(rows).toHaveLength(1);
  });

  test('[O-2] keeps its ical_uid through every version', async () => {
    await stage.announce(1);
    await stage.converge();
    const uid = (await stage.mapping())?.ical_uid;
    await stage.announce(2);
    await stage.converge();
    expect((await stage.mapping())?.ical_uid).toBe(uid);
    expect(uid).toBe(icalUidOf(stage.bookingId, stage.providerId, 'google'));
  });

  test('[O-3] an older version that comes late changes nothing', async () => {
    await stage.announce(3);
    expect(await stage.announce(2)).toEqual({ accepted: false });
    await stage.converge();
    expect(stage.calendar.live()).toMatchObject([{ title: 'v3' }]);
    expect(await stage.converge()).toEqual({ outcome: 'nothing_due' });
  });

  test('[O-1] cancelled before it was ever written needs no call and leaves no mapping', async () => {
    await stage.announce(1);
    await stage.announce(2, 'cancelled');
    expect(await stage.converge()).toMatchObject({ outcome: 'converged', action: 'none' });
    expect(stage.calendar.calls).toEqual([]);
    expect(await stage.mapping()).toBeUndefined();
  });

  test('that lives again after its cancellation gets a new event, for a deleted one keeps its id', async () => {
    await stage.announce(1);
    await stage.converge();
    await stage.announce(2, 'cancelled');
    await stage.converge();
    await stage.announce(3);
    expect(await stage.converge()).toMatchObject({ action: 'created' });
    expect(stage.calendar.live()).toMatchObject([{ title: 'v3' }]);
    expect(stage.calendar.events.size).toBe(2);
  });

  test('[O-3] whose create was answered to nobody is found again and not written twice', async () => {
    await stage.announce(1);
    stage.calendar.fault = () => ({ lose: true });
    expect(await stage.converge()).toMatchObject({ outcome: 'failed' });
    stage.calendar.fault = () => null;
    await stage.wake();
    expect(await stage.converge()).toMatchObject({ action: 'adopted' });
    expect(stage.calendar.live()).toHaveLength(1);
    expect(stage.calendar.calls.filter((one) => one === 'create_event')).toHaveLength(1);
  });

  test('[O-3] cancelled after a create whose answer was lost is deleted', async () => {
    await stage.announce(1);
    stage.calendar.fault = () => ({ lose: true });
    await stage.converge();
    stage.calendar.fault = () => null;
    await stage.announce(2, 'cancelled');
    await stage.wake();
    await stage.converge();
    expect(stage.calendar.live()).toEqual([]);
  });

  test('[O-3] of two workers at once one writes', async () => {
    await stage.announce(1);
    const outcomes = await Promise.all([stage.converge('a'), stage.converge('b'), stage.converge('c')]);
    expect(outcomes.filter(({ outcome }) => outcome === 'converged')).toHaveLength(1);
    expect(stage.calendar.live()).toHaveLength(1);
  });

  test('[R-2] that nineteen others want while one writes costs none of them a failure and the booking no attempt', async () => {
    await stage.announce(1);
    await database.sql`UPDATE booking_effects SET error_count = 3 WHERE booking_id = ${stage.bookingId}`;
    let release: () => void = () => undefined;
    const writing = new Promise<void>((resolve) => {
      stage.calendar.beforeEffect = () => {
        resolve();
        return new Promise<void>((done) => {
          release = done;
        });
      };
    });
    const first = stage.converge('first');
    await writing;
    const others = await Promise.all(Array.from({ length: 19 }, (_, index) => stage.converge(`other ${index}`)));
    expect(others).toEqual(Array(19).fill({ outcome: 'nothing_due' }));
    expect(await stage.effect()).toMatchObject({ error_count: 3, last_error: null, dead_at: null });
    release();
    expect(await first).toMatchObject({ outcome: 'converged', action: 'created' });
    expect(stage.calendar.calls).toEqual(['create_event']);
  });

  test('[O-3] a worker that slept through its lease cannot put an old version over a new one', async () => {
    await stage.announce(1);
    await stage.converge();
    await stage.announce(2);
    let wakeUp: () => void = () => undefined;
    const asleep = new Promise<void>((resolve) => {
      stage.calendar.beforeEffect = () => {
        stage.calendar.beforeEffect = async () => undefined;
        resolve();
        return new Promise<void>((done) => {
          wakeUp = done;
        });
      };
    });
    const late = stage.converge('sleeper');
    await asleep;
    await stage.announce(3);
    await stage.endLease();
    expect(await stage.converge('awake')).toMatchObject({ action: 'updated' });
    wakeUp();
    expect((await late).outcome).not.toBe('converged');
    expect(stage.calendar.live()).toMatchObject([{ title: 'v3' }]);
    expect(stage.calendar.history.map(({ version }) => version)).toEqual([1, 3]);
    expect(await stage.effect()).toMatchObject({ applied_version: '3' });
  });

  test('[O-3] adopted after a reconnect forgot it: the key finds the event that is already there', async () => {
    await stage.announce(1);
    await stage.converge();
    await database.sql`DELETE FROM booking_effects WHERE booking_id = ${stage.bookingId}`;
    await database.sql`
      INSERT INTO booking_effects (booking_id, connection_id, version)
      VALUES (${stage.bookingId}, ${stage.connectionId}, 1)`;
    expect(await stage.converge()).toMatchObject({ action: 'adopted' });
    expect(stage.calendar.live()).toHaveLength(1);
  });
});

describe('failures', () => {
  test('[R-1] a limit waits as it was told and spends no attempt', async () => {
    await stage.announce(1);
    stage.calendar.fault = () => ({ refuse: { kind: 'rate_limited', retryAfterMs: 60_000 } });
    expect(await stage.converge()).toMatchObject({ outcome: 'failed', isDead: false });
    const row = await stage.effect();
    expect(row).toMatchObject({ error_count: 0 });
    expect(new Date(row?.next_attempt_at ?? '').getTime()).toBeGreaterThan(Date.now() + 50_000);
    expect(await stage.mapping()).toBeUndefined();
  });

  test('[O-1] a failed attempt shows on the mapping with its reason', async () => {
    await stage.announce(1);
    stage.calendar.fault = () => ({ refuse: { kind: 'transient', reason: 'http_503', status: 503 } });
    await stage.converge();
    expect(await stage.mapping()).toMatchObject({ sync_status: 'FAILED' });
    expect((await stage.mapping())?.last_error).toMatchObject({ reason: 'http_503' });
    expect(await stage.effect()).toMatchObject({ error_count: 1 });
  });

  test('[O-1] a cancellation that fails shows on the mapping, which stays busy until the event is gone', async () => {
    await stage.announce(1);
    await stage.converge();
    await stage.announce(2, 'cancelled');
    stage.calendar.fault = () => ({ refuse: { kind: 'transient', reason: 'http_503', status: 503 } });
    expect(await stage.converge()).toMatchObject({ outcome: 'failed' });
    expect(await stage.mapping()).toMatchObject({ sync_status: 'FAILED', is_busy: true });
    expect((await stage.mapping())?.last_error).toMatchObject({ reason: 'http_503' });
    stage.calendar.fault = () => null;
    await stage.wake();
    expect(await stage.converge()).toMatchObject({ action: 'deleted' });
    expect(await stage.mapping()).toMatchObject({ sync_status: 'CANCELLED', is_busy: false, last_error: null });
  });

  test('[O-1] a cancellation that fails makes no mapping of what was never seen in the calendar', async () => {
    await stage.announce(1);
    await database.sql`UPDATE booking_effects SET creation_key = 'sent' WHERE booking_id = ${stage.bookingId}`;
    await stage.announce(2, 'cancelled');
    stage.calendar.fault = () => ({ refuse: { kind: 'transient', reason: 'http_503', status: 503 } });
    await stage.converge();
    expect(await stage.mapping()).toBeUndefined();
  });

  test('what can never succeed is a dead letter at once, and a newer version tries again', async () => {
    await stage.announce(1);
    stage.calendar.fault = () => ({ refuse: { kind: 'permanent', reason: 'calendarNotWritable', status: 403 } });
    expect(await stage.converge()).toMatchObject({ outcome: 'failed', isDead: true });
    const [letter] =
      await database.sql`SELECT reason FROM dead_letters WHERE subject = ${`${stage.bookingId}:${stage.connectionId}`}`;
    expect(letter).toEqual({ reason: 'calendarNotWritable' });
    expect(await stage.converge()).toEqual({ outcome: 'nothing_due' });
    stage.calendar.fault = () => null;
    await stage.announce(2);
    expect(await stage.converge()).toMatchObject({ action: 'created' });
  });

  test('[O-1] a booking cancelled after an attempt that failed is not left as failed and busy', async () => {
    await stage.announce(1);
    stage.calendar.fault = () => ({ refuse: { kind: 'transient', reason: 'http_503', status: 503 } });
    await stage.converge();
    expect(await stage.mapping()).toMatchObject({ sync_status: 'FAILED', is_busy: true });
    stage.calendar.fault = () => null;
    await stage.announce(2, 'cancelled');
    await stage.wake();
    expect(await stage.converge()).toMatchObject({ action: 'none' });
    expect(await stage.mapping()).toMatchObject({ sync_status: 'CANCELLED', is_busy: false, last_error: null });
  });

  test('[R-3] a revoked grant parks the connection, and nothing more is tried', async () => {
    await stage.announce(1);
    stage.calendar.fault = () => ({ refuse: { kind: 'auth_revoked', reason: 'invalid_grant' } });
    await stage.converge();
    const [row] = await database.sql`
      SELECT status, status_reason FROM external_calendar_connections WHERE id = ${stage.connectionId}`;
    expect(row).toMatchObject({
      status: 'reauth_required',
      status_reason: expect.stringContaining('Connect the calendar again'),
    });
    await stage.wake();
    expect(await stage.converge()).toEqual({ outcome: 'nothing_due' });
    expect(stage.calendar.calls).toHaveLength(1);
  });
});
