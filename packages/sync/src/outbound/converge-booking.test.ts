import { createFakeCalendar, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
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
const changes = () => database.sql`
  SELECT kind, start_time FROM external_changes WHERE booking_id = ${stage.bookingId} ORDER BY observed_at`;

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

describe("what the owner does to a booking's event", () => {
  const eventId = () => stage.calendar.live()[0]?.eventId ?? '';

  test('a move is recorded once per reading, twice when moved twice, and the next version is written again', async () => {
    await stage.announce(1);
    await stage.converge();
    stage.calendar.move(eventId(), at(15), at(16));
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ action: 'inspected', externalChange: { kind: 'moved' } });
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: null });
    stage.calendar.move(eventId(), at(17), at(18));
    await stage.inspect();
    await stage.converge();
    expect(await changes()).toHaveLength(2);
    await stage.announce(2);
    await stage.converge();
    expect(stage.calendar.live()).toMatchObject([{ title: 'v2', startAt: at(10) }]);
  });

  test('a deletion proven by a read is recorded, not fought over, and the next version is a new event', async () => {
    await stage.announce(1);
    await stage.converge();
    stage.calendar.remove(eventId());
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: { kind: 'deleted' } });
    expect(stage.calendar.live()).toEqual([]);
    await stage.announce(2);
    await stage.converge();
    expect(stage.calendar.live()).toMatchObject([{ title: 'v2' }]);
  });

  test('an event that is as it was written is no change, however the feed looked', async () => {
    await stage.announce(1);
    await stage.converge();
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: null });
    expect(await changes()).toHaveLength(0);
  });

  test('a read that fails proves nothing', async () => {
    await stage.announce(1);
    await stage.converge();
    await stage.inspect();
    stage.calendar.fault = () => ({ refuse: { kind: 'transient', reason: 'timeout' } });
    await stage.converge();
    expect(await changes()).toHaveLength(0);
    stage.calendar.fault = () => null;
    await stage.wake();
    expect(await stage.converge()).toMatchObject({ action: 'inspected', externalChange: null });
  });

  test('[O-1] a read that fails does not make a written booking look unwritten', async () => {
    await stage.announce(1);
    await stage.converge();
    await stage.inspect();
    stage.calendar.fault = () => ({ refuse: { kind: 'transient', reason: 'http_503' } });
    expect(await stage.converge()).toMatchObject({ outcome: 'failed' });
    expect(await stage.effect()).toMatchObject({ error_count: 1 });
    expect(await stage.mapping()).toMatchObject({ sync_status: 'CREATED', last_error: null });
  });

  test('a deletion that is taken back before anybody heard of it is no change', async () => {
    await stage.announce(1);
    await stage.converge();
    const binned = eventId();
    stage.calendar.remove(binned);
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: { kind: 'deleted' } });
    Object.assign(stage.calendar.events.get(binned) ?? {}, { isDeleted: false });
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: null });
    const [told] = await database.sql`SELECT withdrawn_at FROM external_changes WHERE booking_id = ${stage.bookingId}`;
    expect(told?.withdrawn_at).not.toBeNull();
    expect(await stage.effect()).toMatchObject({ external_event_id: binned });
  });

  test('[O-1] a second deletion, after the first was told and taken back, is told too', async () => {
    await stage.announce(1);
    await stage.converge();
    const binned = eventId();
    const deleteAndRead = async () => {
      stage.calendar.remove(binned);
      await stage.inspect();
      return stage.converge();
    };
    expect(await deleteAndRead()).toMatchObject({ externalChange: { kind: 'deleted' } });
    await database.sql`UPDATE external_changes SET published_at = now() WHERE booking_id = ${stage.bookingId}`;
    Object.assign(stage.calendar.events.get(binned) ?? {}, { isDeleted: false });
    await stage.inspect();
    await stage.converge();
    expect(await deleteAndRead()).toMatchObject({ externalChange: { kind: 'deleted' } });
    expect((await changes()).map(({ kind }) => kind)).toEqual(['deleted', 'moved', 'deleted']);
  });

  test('[O-1] a deletion in the calendar of another account is told, although the event before it had the same number', async () => {
    await stage.announce(1);
    await stage.converge();
    stage.calendar.remove(eventId());
    await stage.inspect();
    await stage.converge();
    await database.sql`DELETE FROM booking_effects WHERE booking_id = ${stage.bookingId}`;
    await database.sql`
      INSERT INTO booking_effects (booking_id, connection_id, version)
      VALUES (${stage.bookingId}, ${stage.connectionId}, 1)`;
    stage.calendar = createFakeCalendar();
    await stage.converge();
    stage.calendar.remove(eventId());
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: { kind: 'deleted' } });
  });

  test('[O-3] a read that was asked for before a write is still due after it: strays may lie beside what was written', async () => {
    await stage.announce(1);
    await stage.converge();
    await stage.announce(2, 'cancelled');
    await stage.converge();
    const [late] = stage.calendar.events.values();
    await stage.announce(3);
    Object.assign(late ?? {}, { isDeleted: false });
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ action: 'created', workAgain: true });
    expect(stage.calendar.live()).toHaveLength(2);
    expect(await stage.converge()).toMatchObject({ action: 'inspected', workAgain: false });
    expect(stage.calendar.live()).toMatchObject([{ title: 'v3' }]);
  });

  test('[O-3] what the owner takes out of the bin again is the event of the next version too', async () => {
    await stage.announce(1);
    await stage.converge();
    const binned = eventId();
    stage.calendar.remove(binned);
    await stage.inspect();
    await stage.converge();
    await database.sql`UPDATE external_changes SET published_at = now() WHERE booking_id = ${stage.bookingId}`;
    Object.assign(stage.calendar.events.get(binned) ?? {}, { isDeleted: false });
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: { kind: 'moved', startTime: at(9) } });
    await stage.announce(2);
    expect(await stage.converge()).toMatchObject({ action: 'updated' });
    expect(stage.calendar.live()).toMatchObject([{ eventId: binned, title: 'v2' }]);
  });

  test('a late event of an older version, after the owner deleted the newest, is taken away', async () => {
    await stage.announce(1);
    await stage.converge();
    const [stray] = [...stage.calendar.events.values()].map((event) => ({ ...event }));
    await stage.announce(2);
    await stage.converge();
    stage.calendar.remove(eventId());
    await stage.inspect();
    await stage.converge();
    Object.assign([...stage.calendar.events.values()][0] ?? {}, stray);
    await stage.inspect();
    expect(await stage.converge()).toMatchObject({ externalChange: null });
    expect(stage.calendar.live()).toEqual([]);
  });

  test('a late event of a cancelled booking is taken away', async () => {
    await stage.announce(1);
    await stage.converge();
    const stray = stage.calendar.live()[0];
    await stage.announce(2, 'cancelled');
    await stage.converge();
    Object.assign(stray ?? {}, { isDeleted: false });
    await stage.inspect();
    await stage.converge();
    expect(stage.calendar.live()).toEqual([]);
  });
});
