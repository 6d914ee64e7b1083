import { randomUUID } from 'node:crypto';
import { acceptBookingIntent } from '@bookiji/db';
import {
  type BuiltConnection,
  createFakeCalendar,
  createTestDatabase,
  type FakeCalendar,
  insertConnection,
  type TestDatabase,
} from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ConvergeDependencies, convergeBooking } from './converge-booking.ts';
import { icalUidOf } from './event-identity.ts';

let database: TestDatabase;
let calendar: FakeCalendar;
let connection: BuiltConnection;
let bookingId: string;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  calendar = createFakeCalendar();
  connection = await insertConnection(database.sql);
  bookingId = randomUUID();
});

const at = (hour: number) => new Date(Date.UTC(2026, 10, 24, hour));
const never = new AbortController().signal;

function deps(owner = 'me'): ConvergeDependencies {
  return {
    db: database.db,
    openCalendar: () => calendar.port,
    owner,
    backoff: { baseSeconds: 1, maxSeconds: 10 },
    leaseMs: 20_000,
    random: () => 0,
  };
}

function announce(version: number, state: 'live' | 'cancelled' = 'live', hour = 8 + version) {
  return acceptBookingIntent(database.db, {
    eventId: randomUUID(),
    bookingId,
    providerId: connection.providerId,
    version,
    state,
    startAt: at(hour),
    endAt: at(hour + 1),
    details: { title: `v${version}`, time_zone: 'UTC' },
  });
}

const converge = (owner?: string) => convergeBooking(deps(owner), { bookingId, connectionId: connection.id }, never);
const wake = () =>
  database.sql`UPDATE booking_effects SET next_attempt_at = now(), lease_until = NULL WHERE booking_id = ${bookingId}`;
const mapping = async () =>
  (await database.sql`SELECT * FROM external_calendar_events WHERE booking_id = ${bookingId}`)[0];
const effect = async () => (await database.sql`SELECT * FROM booking_effects WHERE booking_id = ${bookingId}`)[0];
const inspect = () =>
  database.sql`UPDATE booking_effects SET inspect_requested = inspect_requested + 1 WHERE booking_id = ${bookingId}`;
const changes = () =>
  database.sql`SELECT kind, start_time FROM external_changes WHERE booking_id = ${bookingId} ORDER BY observed_at`;

describe('a booking in a calendar', () => {
  test('[O-1] appears, moves and disappears as one event with one mapping', async () => {
    await announce(1);
    expect(await converge()).toMatchObject({ outcome: 'converged', action: 'created' });
    expect(await mapping()).toMatchObject({ sync_status: 'CREATED', is_busy: true });
    await announce(2);
    expect(await converge()).toMatchObject({ action: 'updated' });
    expect(calendar.live()).toMatchObject([{ title: 'v2', startAt: at(10) }]);
    expect(await mapping()).toMatchObject({ sync_status: 'UPDATED', is_busy: true });
    await announce(3, 'cancelled');
    expect(await converge()).toMatchObject({ action: 'deleted' });
    expect(calendar.live()).toEqual([]);
    expect(await mapping()).toMatchObject({
      sync_status: 'CANCELLED',
      is_busy: false,
      external_event_id: expect.any(String),
    });
    const rows = await database.sql`SELECT FROM external_calendar_events WHERE booking_id = ${bookingId}`;
    expect(rows).toHaveLength(1);
  });

  test('[O-2] keeps its ical_uid through every version', async () => {
    await announce(1);
    await converge();
    const uid = (await mapping())?.ical_uid;
    await announce(2);
    await converge();
    expect((await mapping())?.ical_uid).toBe(uid);
    expect(uid).toBe(icalUidOf(bookingId, connection.providerId, 'google'));
  });

  test('[O-3] an older version that comes late changes nothing', async () => {
    await announce(3);
    expect(await announce(2)).toEqual({ accepted: false });
    await converge();
    expect(calendar.live()).toMatchObject([{ title: 'v3' }]);
    expect(await converge()).toEqual({ outcome: 'nothing_due' });
  });

  test('[O-1] cancelled before it was ever written needs no call and leaves no mapping', async () => {
    await announce(1);
    await announce(2, 'cancelled');
    expect(await converge()).toMatchObject({ outcome: 'converged', action: 'none' });
    expect(calendar.calls).toEqual([]);
    expect(await mapping()).toBeUndefined();
  });

  test('that lives again after its cancellation gets a new event, for a deleted one keeps its id', async () => {
    await announce(1);
    await converge();
    await announce(2, 'cancelled');
    await converge();
    await announce(3);
    expect(await converge()).toMatchObject({ action: 'created' });
    expect(calendar.live()).toMatchObject([{ title: 'v3' }]);
    expect(calendar.events.size).toBe(2);
  });

  test('[O-3] whose create was answered to nobody is found again and not written twice', async () => {
    await announce(1);
    calendar.fault = () => ({ lose: true });
    expect(await converge()).toMatchObject({ outcome: 'failed' });
    calendar.fault = () => null;
    await wake();
    expect(await converge()).toMatchObject({ action: 'adopted' });
    expect(calendar.live()).toHaveLength(1);
    expect(calendar.calls.filter((one) => one === 'create_event')).toHaveLength(1);
  });

  test('[O-3] cancelled after a create whose answer was lost is deleted', async () => {
    await announce(1);
    calendar.fault = () => ({ lose: true });
    await converge();
    calendar.fault = () => null;
    await announce(2, 'cancelled');
    await wake();
    await converge();
    expect(calendar.live()).toEqual([]);
  });

  test('[O-3] of two workers at once one writes', async () => {
    await announce(1);
    const outcomes = await Promise.all([converge('a'), converge('b'), converge('c')]);
    expect(outcomes.filter(({ outcome }) => outcome === 'converged')).toHaveLength(1);
    expect(calendar.live()).toHaveLength(1);
  });

  test('[O-3] a worker that slept through its lease cannot put an old version over a new one', async () => {
    await announce(1);
    await converge();
    await announce(2);
    let wakeUp: () => void = () => undefined;
    const asleep = new Promise<void>((resolve) => {
      calendar.beforeEffect = () => {
        calendar.beforeEffect = async () => undefined;
        resolve();
        return new Promise<void>((done) => {
          wakeUp = done;
        });
      };
    });
    const late = converge('sleeper');
    await asleep;
    await announce(3);
    await wake();
    expect(await converge('awake')).toMatchObject({ action: 'updated' });
    wakeUp();
    expect((await late).outcome).not.toBe('converged');
    expect(calendar.live()).toMatchObject([{ title: 'v3' }]);
    expect(calendar.history.map(({ version }) => version)).toEqual([1, 3]);
    expect(await effect()).toMatchObject({ applied_version: '3' });
  });

  test('[O-3] adopted after a reconnect forgot it: the key finds the event that is already there', async () => {
    await announce(1);
    await converge();
    await database.sql`DELETE FROM booking_effects WHERE booking_id = ${bookingId}`;
    await database.sql`INSERT INTO booking_effects (booking_id, connection_id, version) VALUES (${bookingId}, ${connection.id}, 1)`;
    expect(await converge()).toMatchObject({ action: 'adopted' });
    expect(calendar.live()).toHaveLength(1);
  });
});

describe('failures', () => {
  test('[R-1] a limit waits as it was told and spends no attempt', async () => {
    await announce(1);
    calendar.fault = () => ({ refuse: { kind: 'rate_limited', retryAfterMs: 60_000 } });
    expect(await converge()).toMatchObject({ outcome: 'failed', isDead: false });
    const row = await effect();
    expect(row).toMatchObject({ error_count: 0 });
    expect(new Date(row?.next_attempt_at).getTime()).toBeGreaterThan(Date.now() + 50_000);
    expect(await mapping()).toBeUndefined();
  });

  test('[O-1] a failed attempt shows on the mapping with its reason', async () => {
    await announce(1);
    calendar.fault = () => ({ refuse: { kind: 'transient', reason: 'http_503', status: 503 } });
    await converge();
    expect(await mapping()).toMatchObject({ sync_status: 'FAILED' });
    expect((await mapping())?.last_error).toMatchObject({ reason: 'http_503' });
    expect(await effect()).toMatchObject({ error_count: 1 });
  });

  test('what can never succeed is a dead letter at once, and a newer version tries again', async () => {
    await announce(1);
    calendar.fault = () => ({ refuse: { kind: 'permanent', reason: 'calendarNotWritable', status: 403 } });
    expect(await converge()).toMatchObject({ outcome: 'failed', isDead: true });
    const [letter] =
      await database.sql`SELECT reason FROM dead_letters WHERE subject = ${`${bookingId}:${connection.id}`}`;
    expect(letter).toEqual({ reason: 'calendarNotWritable' });
    expect(await converge()).toEqual({ outcome: 'nothing_due' });
    calendar.fault = () => null;
    await announce(2);
    expect(await converge()).toMatchObject({ action: 'created' });
  });

  test('[O-1] a booking cancelled after an attempt that failed is not left as failed and busy', async () => {
    await announce(1);
    calendar.fault = () => ({ refuse: { kind: 'transient', reason: 'http_503', status: 503 } });
    await converge();
    expect(await mapping()).toMatchObject({ sync_status: 'FAILED', is_busy: true });
    calendar.fault = () => null;
    await announce(2, 'cancelled');
    await wake();
    expect(await converge()).toMatchObject({ action: 'none' });
    expect(await mapping()).toMatchObject({ sync_status: 'CANCELLED', is_busy: false, last_error: null });
  });

  test('[R-3] a revoked grant parks the connection, and nothing more is tried', async () => {
    await announce(1);
    calendar.fault = () => ({ refuse: { kind: 'auth_revoked', reason: 'invalid_grant' } });
    await converge();
    const [row] =
      await database.sql`SELECT status, status_reason FROM external_calendar_connections WHERE id = ${connection.id}`;
    expect(row).toMatchObject({
      status: 'reauth_required',
      status_reason: expect.stringContaining('Connect the calendar again'),
    });
    await wake();
    expect(await converge()).toEqual({ outcome: 'nothing_due' });
    expect(calendar.calls).toHaveLength(1);
  });
});

describe("what the owner does to a booking's event", () => {
  const eventId = () => calendar.live()[0]?.eventId ?? '';

  test('a move is recorded once per reading, twice when moved twice, and the next version is written again', async () => {
    await announce(1);
    await converge();
    calendar.move(eventId(), at(15), at(16));
    await inspect();
    expect(await converge()).toMatchObject({ action: 'inspected', externalChange: { kind: 'moved' } });
    await inspect();
    expect(await converge()).toMatchObject({ externalChange: null });
    calendar.move(eventId(), at(17), at(18));
    await inspect();
    await converge();
    expect(await changes()).toHaveLength(2);
    await announce(2);
    await converge();
    expect(calendar.live()).toMatchObject([{ title: 'v2', startAt: at(10) }]);
  });

  test('a deletion proven by a read is recorded, not fought over, and the next version is a new event', async () => {
    await announce(1);
    await converge();
    calendar.remove(eventId());
    await inspect();
    expect(await converge()).toMatchObject({ externalChange: { kind: 'deleted' } });
    expect(calendar.live()).toEqual([]);
    await announce(2);
    await converge();
    expect(calendar.live()).toMatchObject([{ title: 'v2' }]);
  });

  test('an event that is as it was written is no change, however the feed looked', async () => {
    await announce(1);
    await converge();
    await inspect();
    expect(await converge()).toMatchObject({ externalChange: null });
    expect(await changes()).toHaveLength(0);
  });

  test('a read that fails proves nothing', async () => {
    await announce(1);
    await converge();
    await inspect();
    calendar.fault = () => ({ refuse: { kind: 'transient', reason: 'timeout' } });
    await converge();
    expect(await changes()).toHaveLength(0);
    calendar.fault = () => null;
    await wake();
    expect(await converge()).toMatchObject({ action: 'inspected', externalChange: null });
  });

  test('[O-1] a read that fails does not make a written booking look unwritten', async () => {
    await announce(1);
    await converge();
    await inspect();
    calendar.fault = () => ({ refuse: { kind: 'transient', reason: 'http_503' } });
    expect(await converge()).toMatchObject({ outcome: 'failed' });
    expect(await effect()).toMatchObject({ error_count: 1 });
    expect(await mapping()).toMatchObject({ sync_status: 'CREATED', last_error: null });
  });

  test('a deletion that is taken back before anybody heard of it is no change', async () => {
    await announce(1);
    await converge();
    const binned = eventId();
    calendar.remove(binned);
    await inspect();
    expect(await converge()).toMatchObject({ externalChange: { kind: 'deleted' } });
    Object.assign(calendar.events.get(binned) ?? {}, { isDeleted: false });
    await inspect();
    expect(await converge()).toMatchObject({ externalChange: null });
    const [told] = await database.sql`SELECT withdrawn_at FROM external_changes WHERE booking_id = ${bookingId}`;
    expect(told?.withdrawn_at).not.toBeNull();
    expect(await effect()).toMatchObject({ external_event_id: binned });
  });

  test('[O-1] a second deletion, after the first was told and taken back, is told too', async () => {
    await announce(1);
    await converge();
    const binned = eventId();
    const deleteAndRead = async () => {
      calendar.remove(binned);
      await inspect();
      return converge();
    };
    expect(await deleteAndRead()).toMatchObject({ externalChange: { kind: 'deleted' } });
    await database.sql`UPDATE external_changes SET published_at = now() WHERE booking_id = ${bookingId}`;
    Object.assign(calendar.events.get(binned) ?? {}, { isDeleted: false });
    await inspect();
    await converge();
    expect(await deleteAndRead()).toMatchObject({ externalChange: { kind: 'deleted' } });
    expect((await changes()).map(({ kind }) => kind)).toEqual(['deleted', 'moved', 'deleted']);
  });

  test('[O-1] a deletion in the calendar of another account is told, although the event before it had the same number', async () => {
    await announce(1);
    await converge();
    calendar.remove(eventId());
    await inspect();
    await converge();
    await database.sql`DELETE FROM booking_effects WHERE booking_id = ${bookingId}`;
    await database.sql`
      INSERT INTO booking_effects (booking_id, connection_id, version) VALUES (${bookingId}, ${connection.id}, 1)`;
    calendar = createFakeCalendar();
    await converge();
    calendar.remove(eventId());
    await inspect();
    expect(await converge()).toMatchObject({ externalChange: { kind: 'deleted' } });
  });

  test('[O-3] a read that was asked for before a write is still due after it: strays may lie beside what was written', async () => {
    await announce(1);
    await converge();
    await announce(2, 'cancelled');
    await converge();
    const [late] = calendar.events.values();
    await announce(3);
    Object.assign(late ?? {}, { isDeleted: false });
    await inspect();
    expect(await converge()).toMatchObject({ action: 'created', workAgain: true });
    expect(calendar.live()).toHaveLength(2);
    expect(await converge()).toMatchObject({ action: 'inspected', workAgain: false });
    expect(calendar.live()).toMatchObject([{ title: 'v3' }]);
  });

  test('[O-3] what the owner takes out of the bin again is the event of the next version too', async () => {
    await announce(1);
    await converge();
    const binned = eventId();
    calendar.remove(binned);
    await inspect();
    await converge();
    await database.sql`UPDATE external_changes SET published_at = now() WHERE booking_id = ${bookingId}`;
    Object.assign(calendar.events.get(binned) ?? {}, { isDeleted: false });
    await inspect();
    expect(await converge()).toMatchObject({ externalChange: { kind: 'moved', startTime: at(9) } });
    await announce(2);
    expect(await converge()).toMatchObject({ action: 'updated' });
    expect(calendar.live()).toMatchObject([{ eventId: binned, title: 'v2' }]);
  });

  test('a late event of an older version, after the owner deleted the newest, is taken away', async () => {
    await announce(1);
    await converge();
    const [stray] = [...calendar.events.values()].map((event) => ({ ...event }));
    await announce(2);
    await converge();
    calendar.remove(eventId());
    await inspect();
    await converge();
    Object.assign([...calendar.events.values()][0] ?? {}, stray);
    await inspect();
    expect(await converge()).toMatchObject({ externalChange: null });
    expect(calendar.live()).toEqual([]);
  });

  test('a late event of a cancelled booking is taken away', async () => {
    await announce(1);
    await converge();
    const stray = calendar.live()[0];
    await announce(2, 'cancelled');
    await converge();
    Object.assign(stray ?? {}, { isDeleted: false });
    await inspect();
    await converge();
    expect(calendar.live()).toEqual([]);
  });
});
