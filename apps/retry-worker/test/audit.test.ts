/** Calendars that drifted from the database, over HTTP: what two looks find, and what is right after the third. */
import { randomUUID } from 'node:crypto';
import { acceptBookingIntent, countMismatches, findConnection, findDueEffects } from '@bookiji/db';
import { createProviderEdges } from '@bookiji/providers/adapters';
import type { CalendarPort } from '@bookiji/providers/contract';
import { createSandbox, type Sandbox } from '@bookiji/sandbox';
import { auditConnection, convergeBooking, syncConnection } from '@bookiji/sync';
import { type BuiltConnection, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;
const backoff = { baseSeconds: 1, maxSeconds: 10 };
const BUSY = 6;

let database: TestDatabase;
let sandbox: Sandbox;
let url: string;
beforeAll(async () => {
  database = await createTestDatabase();
  sandbox = createSandbox();
  ({ url } = await sandbox.listen());
});
afterAll(async () => {
  await database?.drop();
  await sandbox?.close();
});

async function order<Body>(method: string, path: string, body?: unknown): Promise<Body> {
  const given = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${url}/sandbox${path}`, { method, ...given });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status} ${text}`);
  return (text === '' ? null : JSON.parse(text)) as Body;
}

interface Shown {
  readonly id: string;
  readonly title: string | null;
  readonly start: string;
  readonly properties: Readonly<Record<string, string>>;
}

describe.each(['google', 'microsoft'] as const)('[O-3] a calendar at %s', (provider) => {
  let connection: BuiltConnection;
  let port: CalendarPort;
  let events: string;
  let bookingId: string;

  beforeEach(async () => {
    await order('DELETE', '/faults');
    await order('PUT', '/settings', { normalise: { writes: false } });
    connection = await insertConnection(database.sql, { calendarProvider: provider });
    const email = `${connection.id}@${provider}.example`;
    const grant = await order<{ access_token: string }>('POST', '/grants', {
      calendar_provider: provider,
      email,
      client_id: 'app',
    });
    const edges = createProviderEdges(providerSettings(url));
    const tokens = { accessToken: async () => grant.access_token, rejected: () => undefined };
    port = edges[provider].adapter.open({ connectionId: connection.id, calendarId: 'primary', tokens });
    events = `/calendars/${provider}/${encodeURIComponent(email)}/events`;
    const start = Date.now() + 24 * HOUR_MS;
    for (let one = 0; one < BUSY; one += 1) {
      const at = new Date(start + one * 2 * HOUR_MS);
      await order('POST', events, { title: 'Private', start: at, end: new Date(at.getTime() + HOUR_MS) });
    }
    bookingId = await book(1);
    await settle();
  });

  async function book(version: number, id: string = randomUUID(), details = {}): Promise<string> {
    const startAt = new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS + (48 + version) * HOUR_MS + 37_000);
    await acceptBookingIntent(database.db, {
      eventId: randomUUID(),
      bookingId: id,
      providerId: connection.providerId,
      version,
      state: 'live',
      startAt,
      endAt: new Date(startAt.getTime() + HOUR_MS),
      details: { title: `booking ${id}`, time_zone: 'UTC', ...details },
    });
    return id;
  }

  /** The workers' share: everything that is due is done. */
  async function settle(): Promise<void> {
    const deps = {
      db: database.db,
      openCalendar: () => port,
      owner: 'test',
      backoff,
      leaseMs: 20_000,
      random: () => 0,
    };
    const window = { pastDays: 1, futureDays: 30 };
    for (let round = 0; round < 5; round += 1) {
      await syncConnection({ ...deps, window, reconcileSeconds: 300 }, connection.id, never);
      const due = await findDueEffects(database.db, { providerIds: null, connectionIds: [connection.id] }, 100);
      for (const effect of due) await convergeBooking(deps, effect, never);
    }
  }

  /** As if a notification had come. */
  async function ask(): Promise<void> {
    await database.sql`UPDATE external_calendar_connections SET requested = requested + 1 WHERE id = ${connection.id}`;
    await settle();
  }

  async function audit(mayWrite = true) {
    const times = { intervalSeconds: 86_400, settleSeconds: 60 };
    const deps = { db: database.db, openCalendar: () => port, mayWrite: () => mayWrite, ...times };
    const result = await auditConnection(deps, connection.id, never);
    if (result.outcome !== 'audited') throw new Error(`the audit ended as ${result.outcome}`);
    const kinds = (list: readonly { kind: string }[]) => list.map(({ kind }) => kind).sort();
    return { suspects: kinds(result.suspects), mismatches: kinds(result.mismatches) };
  }
  const nothing = { suspects: [], mismatches: [] };
  const shown = async () => {
    const { events: all } = await order<{ events: Shown[] }>(
      'GET',
      `${events}?from=${new Date().toISOString()}&to=${new Date(Date.now() + 30 * 24 * HOUR_MS).toISOString()}`,
    );
    return all.filter(({ title }) => title === `booking ${bookingId}`);
  };
  const stored = () => database.sql`
    SELECT external_event_id, start_time, checksum FROM external_calendar_events
     WHERE connection_id = ${connection.id} AND booking_id IS NULL AND is_busy ORDER BY external_event_id`;
  const dueInSeconds = async () => {
    const [row] = await database.sql`
      SELECT extract(epoch FROM due_at - now())::float8 AS seconds FROM connection_audits
       WHERE connection_id = ${connection.id}`;
    return Number(row?.seconds);
  };

  test('that agrees with the database is left alone until its next turn', async () => {
    expect(await audit()).toEqual(nothing);
    expect(await dueInSeconds()).toBeGreaterThan(80_000);
    expect(await findConnection(database.db, connection.id)).toMatchObject({ syncNeeded: false });
    expect(await countMismatches(database.db)).toEqual(new Map());
  });

  test('that lost a booking’s event without a word: it is the owner’s doing, told once, and no mismatch', async () => {
    const [event] = await shown();
    await order('DELETE', `${events}/${encodeURIComponent(event?.id ?? '')}`);
    expect(await audit()).toEqual({ suspects: ['missing_event'], mismatches: [] });
    expect(await dueInSeconds()).toBeLessThanOrEqual(60);
    await settle();
    expect(await audit()).toEqual(nothing);
    const changes = await database.sql`SELECT kind FROM external_changes WHERE booking_id = ${bookingId}`;
    expect(changes).toEqual([{ kind: 'deleted' }]);
  });

  test('where a booking’s event was moved without a word: told once as moved', async () => {
    const [event] = await shown();
    const to = new Date(Date.parse(event?.start ?? '') + 5 * HOUR_MS);
    await order('PATCH', `${events}/${encodeURIComponent(event?.id ?? '')}`, { start: to.toISOString() });
    expect(await audit()).toEqual({ suspects: ['moved_event'], mismatches: [] });
    await settle();
    expect(await audit()).toEqual(nothing);
    const changes = await database.sql`SELECT kind, start_time FROM external_changes WHERE booking_id = ${bookingId}`;
    expect(changes.map((row) => [row.kind, Date.parse(row.start_time)])).toEqual([['moved', to.getTime()]]);
  });

  test('whose stored busy time was damaged is read afresh, with nobody’s help', async () => {
    const before = await stored();
    const ids = before.map((row) => row.external_event_id);
    await database.sql`DELETE FROM external_calendar_events WHERE external_event_id = ANY(${ids.slice(0, 2)})`;
    await database.sql`
      UPDATE external_calendar_events SET start_time = start_time - interval '3 hours', checksum = 'damaged'
       WHERE external_event_id = ANY(${ids.slice(2, 4)})`;
    await database.sql`
      UPDATE external_calendar_events SET external_event_id = 'invented' WHERE external_event_id = ${ids[4] ?? ''}`;
    const all = [
      'missing_interval',
      'missing_interval',
      'missing_interval',
      'surplus_interval',
      'wrong_interval',
      'wrong_interval',
    ];
    expect(await audit()).toEqual({ suspects: all, mismatches: [] });
    // What was damaged here is no change there, so that an ordinary sync does not see it.
    await settle();
    expect(await audit()).toEqual({ suspects: [], mismatches: all });
    expect((await countMismatches(database.db)).get('wrong_interval')).toBe(2);
    await settle();
    expect(await audit()).toEqual(nothing);
    expect(await stored()).toEqual(before);
    expect(await countMismatches(database.db)).toEqual(new Map());
  });

  test('whose mapping row is lost gets it back', async () => {
    const mapping = () => database.sql`
      SELECT external_event_id, ical_uid, is_busy, sync_status, checksum FROM external_calendar_events WHERE booking_id = ${bookingId}`;
    const before = await mapping();
    await database.sql`DELETE FROM external_calendar_events WHERE booking_id = ${bookingId}`;
    expect(await audit()).toEqual({ suspects: ['missing_mapping'], mismatches: [] });
    await settle();
    expect(await audit()).toEqual({ suspects: [], mismatches: ['missing_mapping'] });
    expect(await mapping()).toEqual(before);
    expect(await audit()).toEqual(nothing);
  });

  test('whose changes are on their way is looked at when they are through', async () => {
    await database.sql`UPDATE external_calendar_connections SET requested = requested + 1 WHERE id = ${connection.id}`;
    await expect(audit()).rejects.toThrow('put_off');
    await settle();
    expect(await audit()).toEqual(nothing);
  });

  test('that shows nothing at all for once costs no booking', async () => {
    await order('POST', '/faults', {
      provider,
      operation: provider === 'google' ? 'events.list' : 'events.delta',
      keep_share: 0,
      times: 1,
    });
    const { suspects } = await audit();
    expect(suspects).toContain('missing_event');
    await order('DELETE', '/faults');
    await settle();
    expect(await audit()).toEqual(nothing);
    expect(await shown()).toHaveLength(1);
    expect(await database.sql`SELECT FROM external_changes WHERE booking_id = ${bookingId}`).toHaveLength(0);
  });

  describe('that keeps whole minutes and tidied texts', () => {
    const untidy = { title: `  Haircut,  ${'long '.repeat(40)}`, notes: ' by  the  window ', location: ' Room  7 ' };
    const dues = () => database.sql`
      UPDATE booking_effects SET next_attempt_at = now() WHERE connection_id = ${connection.id}`;
    /** Our own writes to the booking’s event since then. */
    const writesSince = async (after: number) => {
      const { entries } = await order<{ entries: { operation: string }[] }>(
        'GET',
        `/history?after=${after}&calendar=${connection.id}@${provider}.example&author=client`,
      );
      return entries.map(({ operation }) => operation);
    };
    const place = async () => (await order<{ last_sequence: number }>('GET', '/history?limit=0')).last_sequence;
    const told = () => database.sql`SELECT kind FROM external_changes WHERE connection_id = ${connection.id}`;
    const eventOf = async (id: string) => {
      const [row] = await database.sql`SELECT external_event_id FROM booking_effects WHERE booking_id = ${id}`;
      return `${events}/${encodeURIComponent(row?.external_event_id)}`;
    };
    beforeEach(() => order('PUT', '/settings', { normalise: { writes: true } }));

    test('is written to once per version, and no look at it leads to another write or to an owner’s change', async () => {
      const start = await place();
      const id = await book(2, randomUUID(), untidy);
      await settle();
      const kept = await order<Shown>('GET', await eventOf(id));
      expect([kept.title?.length, Date.parse(kept.start) % 60_000]).toEqual([60, 0]);
      await order('PATCH', await eventOf(id), { extras: { colorId: '7' } });
      for (let day = 0; day < 3; day += 1) {
        await database.sql`
          UPDATE booking_effects SET inspect_requested = inspect_requested + 1 WHERE booking_id = ${id}`;
        await database.sql`
          UPDATE external_calendar_connections SET sync_cursor = NULL, requested = requested + 1
           WHERE id = ${connection.id}`;
        await settle();
        expect(await audit()).toEqual(nothing);
      }
      expect(await writesSince(start)).toEqual(['create']);
      await book(3, id, untidy);
      await settle();
      expect(await audit()).toEqual(nothing);
      expect(await writesSince(start)).toEqual(['create', 'update']);
      expect([...(await told())]).toEqual([]);
      expect(await countMismatches(database.db)).toEqual(new Map());
    });

    test('is written to once although the answer was lost', async () => {
      const start = await place();
      await order('POST', '/faults', { provider, operation: 'events.insert', lost_answer: true, times: 1 });
      const id = await book(2, randomUUID(), untidy);
      await settle();
      await dues();
      await settle();
      expect(await audit()).toEqual(nothing);
      expect(await order('GET', await eventOf(id))).toMatchObject({ status: 'confirmed' });
      expect(await writesSince(start)).toEqual(['create']);
      expect([...(await told())]).toEqual([]);
    });

    test('loses and gets back a booking’s event within the grace, and nothing happened', async () => {
      const start = await place();
      const event = await eventOf(await book(2, randomUUID(), untidy).then(async (id) => settle().then(() => id)));
      await order('DELETE', event);
      await ask();
      expect([...(await told())]).toEqual([{ kind: 'deleted' }]);
      await order('POST', `${event}/restore`);
      await ask();
      const changes = await database.sql`
        SELECT kind, withdrawn_at IS NOT NULL AS is_withdrawn FROM external_changes WHERE connection_id = ${connection.id}`;
      expect([...changes]).toEqual([{ kind: 'deleted', is_withdrawn: true }]);
      expect(await audit()).toEqual(nothing);
      expect(await writesSince(start)).toEqual(['create']);
    });
  });

  if (provider === 'google') {
    test('with a second event of a booking loses the second one, and keeps a copy that is its owner’s', async () => {
      const [event] = await shown();
      const { title, start, properties } = event as Shown;
      const twin = { title, start, end: new Date(Date.parse(start) + HOUR_MS) };
      await order('POST', events, { ...twin, properties });
      const copy = await order<Shown>('POST', events, twin);
      await ask();
      expect(await audit()).toEqual({ suspects: ['duplicate_event'], mismatches: [] });
      await settle();
      // While operators want nothing written, it is told, and nothing is removed.
      expect(await audit(false)).toEqual({ suspects: [], mismatches: ['duplicate_event'] });
      expect(await dueInSeconds()).toBeLessThanOrEqual(60);
      expect(await shown()).toHaveLength(3);
      await settle();
      expect(await audit()).toEqual({ suspects: [], mismatches: ['duplicate_event'] });
      expect((await countMismatches(database.db)).get('duplicate_event')).toBe(1);
      await settle();
      expect(await audit()).toEqual(nothing);
      expect((await shown()).map(({ id }) => id).sort()).toEqual([event?.id, copy.id].sort());
    });

    test('that shows an older version than was recorded has the newest written again', async () => {
      await book(2, bookingId);
      await settle();
      const [event] = await shown();
      const older = Object.fromEntries(
        Object.entries(event?.properties ?? {}).map(([name, value]) => [name, value === '2' ? '1' : value]),
      );
      await order('PATCH', `${events}/${encodeURIComponent(event?.id ?? '')}`, { properties: older });
      await settle();
      expect(await audit()).toEqual({ suspects: ['stale_event'], mismatches: [] });
      await settle();
      expect(await audit()).toEqual({ suspects: [], mismatches: ['stale_event'] });
      await settle();
      expect(await audit()).toEqual(nothing);
      expect((await shown())[0]?.properties).toEqual(event?.properties);
    });

    test('that shows an older version again after every write is written to once for it, and stays a mismatch', async () => {
      await book(2, bookingId);
      await settle();
      const [event] = await shown();
      const older = Object.fromEntries(
        Object.entries(event?.properties ?? {}).map(([name, value]) => [name, value === '2' ? '1' : value]),
      );
      const { last_sequence: before } = await order<{ last_sequence: number }>('GET', '/history?limit=0');
      for (let turn = 0; turn < 6; turn += 1) {
        await ask();
        await order('PATCH', `${events}/${encodeURIComponent(event?.id ?? '')}`, { properties: older });
        await audit();
      }
      const ours = `/history?after=${before}&calendar=${connection.id}@google.example&author=client`;
      expect((await order<{ entries: unknown[] }>('GET', ours)).entries).toHaveLength(1);
      expect((await countMismatches(database.db)).get('stale_event')).toBe(1);
      // What lasts is not read every minute.
      expect(await dueInSeconds()).toBeGreaterThan(800);
      expect(await dueInSeconds()).toBeLessThanOrEqual(900);
      await order('PATCH', `${events}/${encodeURIComponent(event?.id ?? '')}`, { properties: event?.properties });
      await ask();
      expect(await audit()).toEqual(nothing);
      expect(await countMismatches(database.db)).toEqual(new Map());
    });
  }
});

function providerSettings(at: string) {
  return {
    GOOGLE_CLIENT_ID: 'app',
    GOOGLE_CLIENT_SECRET: 'secret',
    GOOGLE_API_BASE_URL: at,
    GOOGLE_AUTHORIZE_URL: at,
    GOOGLE_TOKEN_URL: at,
    GOOGLE_REVOKE_URL: at,
    MICROSOFT_CLIENT_ID: 'app',
    MICROSOFT_CLIENT_SECRET: 'secret',
    MICROSOFT_TENANT: 'common',
    MICROSOFT_GRAPH_BASE_URL: at,
    MICROSOFT_LOGIN_BASE_URL: at,
  };
}
