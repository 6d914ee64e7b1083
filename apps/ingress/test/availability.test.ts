import { randomUUID } from 'node:crypto';
import { waitUntil } from '@bookiji/local-fleet';
import { type BuiltConnection, insertConnection } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { API_TOKEN, startIngress, type TestIngress } from './ingress-harness.ts';
import { quickest } from './quickest.ts';

let ingress: TestIngress;
beforeAll(async () => {
  ingress = await startIngress();
});
afterAll(() => ingress.close());

const PATH = '/api/calendar/availability';
const HOUR_MS = 3_600_000;
const TODAY = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
/** From and to, in hours from the current one. */
const span = (from: number, to: number) => ({
  start: new Date(TODAY + from * HOUR_MS).toISOString(),
  end: new Date(TODAY + to * HOUR_MS).toISOString(),
});
const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
const ahead = (seconds: number) => ago(-seconds);

type Columns = Record<string, string | number | boolean | null>;

/** Synced a second ago, thirty days in sync. */
const FRESH: Columns = {
  applied: 1,
  last_synced_at: ago(1),
  sync_window_start: ago(30 * 86_400),
  sync_window_end: ahead(30 * 86_400),
};

const connect = (columns: Columns = {}, over: Partial<BuiltConnection> = {}) =>
  insertConnection(ingress.database.sql, { ...over, columns: { ...FRESH, ...columns } });

async function addBusy(connection: BuiltConnection, from: number, to: number, columns: Columns = {}) {
  const { start, end } = span(from, to);
  const row = {
    connection_id: connection.id,
    provider_id: connection.providerId,
    calendar_provider: connection.calendarProvider,
    external_event_id: randomUUID(),
    start_time: start,
    end_time: end,
    is_busy: true,
    checksum: 'x',
    ...columns,
  };
  await ingress.database.sql`INSERT INTO external_calendar_events ${ingress.database.sql(row)}`;
}

const ask = (providerId: string, slots: readonly object[], more: object = {}, at = ingress) =>
  at.call('POST', PATH, { provider_id: providerId, slots, ...more });
/** How many jobs wait to look at a connection. */
async function countRings(id: string): Promise<number> {
  const jobs = await ingress.queues.queue('calendar-inbound-sync').getJobs(['waiting', 'wait', 'prioritized']);
  // One that waits is listed under each name of its state.
  return new Set(jobs.filter(({ data }) => data.connection_id === id).map((job) => job.id)).size;
}

describe('free time', () => {
  test('[I-3] busy time is taken out of the slots: touching, nested, overlapping, across and within', async () => {
    const connection = await connect();
    const { providerId } = connection;
    for (const [from, to] of [
      [1, 2],
      [2, 3],
      [5, 8],
      [6, 7],
      [7.5, 9],
      [11, 30],
    ] as const) {
      await addBusy(connection, from, to);
    }
    const answer = await ask(providerId, [span(0, 4), span(4, 10), span(9, 9.5), span(10, 12), span(3, 5)]);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      free: [span(0, 1), span(3, 4), span(4, 5), span(9, 10), span(9, 9.5), span(10, 11), span(3, 5)],
      busy: [span(1, 3), span(5, 9), span(11, 12)],
      trusted: true,
      evidence: [{ connection_id: connection.id, last_synced_at: FRESH.last_synced_at, fresh: true, reason: 'fresh' }],
    });
  });

  test('[I-3] what is free, what is a booking of ours, and what another provider does, takes nothing', async () => {
    const connection = await connect();
    await addBusy(connection, 1, 2, { is_busy: false });
    await addBusy(connection, 2, 3, { booking_id: randomUUID(), sync_status: 'CREATED' });
    await addBusy(await connect(), 3, 4);
    expect((await ask(connection.providerId, [span(0, 5)])).json).toMatchObject({ free: [span(0, 5)], busy: [] });
  });

  test('[I-3] two calendars of a provider both block, and both must be fresh', async () => {
    const one = await connect();
    const other = await connect(
      { status: 'reauth_required' },
      { providerId: one.providerId, calendarProvider: 'microsoft' },
    );
    await addBusy(one, 1, 2);
    await addBusy(other, 2, 3);
    const { json } = await ask(one.providerId, [span(0, 4)]);
    expect([json.free, json.trusted]).toEqual([[span(0, 1), span(3, 4)], false]);
    expect(json.evidence.map(({ reason }: { reason: string }) => reason)).toEqual(['fresh', 'revoked']);
  });

  test('[I-3] slots may come in any zone and letter; answers are UTC', async () => {
    const connection = await connect();
    const slot = { start: '2026-11-24T09:00:00+05:30', end: '2026-11-24T10:00:00.5+05:30' };
    const { json } = await ask(connection.providerId.toUpperCase(), [slot]);
    expect(json.free).toEqual([{ start: '2026-11-24T03:30:00.000Z', end: '2026-11-24T04:30:00.500Z' }]);
  });

  test('[I-3] nothing of an event but its time leaves', async () => {
    const connection = await connect();
    const secrets = { external_event_id: 'event-id-canary', ical_uid: 'uid-canary', series_id: 'series-canary' };
    await addBusy(connection, 1, 2, { ...secrets, checksum: 'checksum-canary' });
    const { text, json } = await ask(connection.providerId, [span(0, 3)]);
    expect(json.busy).toEqual([span(1, 2)]);
    expect(text).not.toContain('canary');
    expect(Object.keys(json).sort()).toEqual(['busy', 'evidence', 'free', 'trusted']);
  });

  test('[I-3] a slot without length has no free time in it, and spoils no other', async () => {
    const connection = await connect();
    await addBusy(connection, 2, 3);
    const slots = [span(0, 0), span(1, 3), span(2, 2), span(4, 4)];
    expect((await ask(connection.providerId, slots)).json).toMatchObject({ free: [span(1, 2)], trusted: true });
  });

  test.each(['0001', '1969', '9000', '9999'])(
    '[I-3] the year %s lies outside the window: free, and not trusted',
    async (year) => {
      const connection = await connect();
      const slots = [{ start: `${year}-02-01T00:00:00.000Z`, end: `${year}-12-01T00:00:00.000Z` }];
      const { json } = await ask(connection.providerId, slots);
      expect(json).toMatchObject({ free: slots, trusted: false, evidence: [{ reason: 'outside_window' }] });
    },
  );

  test.each<[saying: number | null, old: number, trusted: boolean]>([
    [1e12, 40 * 86_400, true],
    [0.5, 60, false],
    [null, 60, true],
  ])('[I-3] evidence may be as old as the caller says: %p seconds, when it is %p old (trusted: %p)', async (...row) => {
    const [seconds, old, trusted] = row;
    const connection = await connect({ last_synced_at: ago(old) });
    const { status, json } = await ask(connection.providerId, [span(0, 1)], { max_age_seconds: seconds });
    expect([status, json.trusted, json.evidence[0].reason]).toEqual([200, trusted, trusted ? 'fresh' : 'stale']);
  });

  test('[I-3] who asks about no slot is told how far the calendars can be relied on', async () => {
    const connection = await connect();
    const { json } = await ask(connection.providerId, []);
    expect(json).toMatchObject({ free: [], trusted: true, evidence: [{ connection_id: connection.id, fresh: true }] });
  });

  test('[I-3] without any connection the slots come back as they are, and nothing is promised', async () => {
    const { json } = await ask(randomUUID(), [span(0, 1)]);
    expect(json).toEqual({ free: [span(0, 1)], busy: [], trusted: false, evidence: [] });
  });
});

describe('evidence', () => {
  test.each<[reason: string, trusted: boolean, Columns]>([
    ['fresh', true, {}],
    ['fresh', true, { last_synced_at: ago(500) }],
    ['fresh', true, { error_count: 3, backoff_until: ahead(600) }],
    ['backing_off', false, { last_synced_at: ago(1_000), error_count: 1, backoff_until: ahead(600) }],
    ['revoked', false, { status: 'reauth_required' }],
    ['disabled', false, { status: 'disabled' }],
    ['disabled', false, { sync_enabled: false }],
    ['outside_window', false, { sync_window_end: ahead(HOUR_MS / 1000) }],
    ['outside_window', false, { sync_window_start: ahead(HOUR_MS / 1000) }],
  ])('[I-3] says %s (trusted: %s) and still takes busy time: case %#', async (reason, trusted, columns) => {
    const connection = await connect(columns);
    await addBusy(connection, 1, 2);
    const { json } = await ask(connection.providerId, [span(0, 4)]);
    expect([json.trusted, json.evidence[0].fresh, json.evidence[0].reason]).toEqual([trusted, trusted, reason]);
    expect(json.free).toEqual([span(0, 1), span(2, 4)]);
    // What one more sync cannot cure is not asked for.
    expect(await countRings(connection.id)).toBe(0);
  });

  test('[I-3] a single slot outside the window makes the whole answer unknown', async () => {
    const connection = await connect();
    const inside = await ask(connection.providerId, [span(0, 1)]);
    const partly = await ask(connection.providerId, [span(0, 1), span(24 * 40, 24 * 40 + 1)]);
    expect([inside.json.trusted, partly.json.trusted]).toEqual([true, false]);
  });

  test.each<[string, Columns]>([
    ['stale', { last_synced_at: ago(1_000) }],
    ['never_synced', { last_synced_at: null, sync_window_start: null, sync_window_end: null }],
  ])('[I-3] %s: asks for one live look, waits a bounded while, then does not promise', async (reason, columns) => {
    const connection = await connect(columns);
    const startedAt = performance.now();
    const [first, second] = await Promise.all([1, 2].map(() => ask(connection.providerId, [span(0, 1)])));
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    for (const answer of [first, second]) {
      expect([answer?.json.trusted, answer?.json.evidence[0].reason]).toEqual([false, reason]);
    }
    const [row] = await ingress.database.sql`
      SELECT sync_needed, requested_by, requested::int FROM external_calendar_connections WHERE id = ${connection.id}`;
    expect(row).toMatchObject({ sync_needed: true, requested_by: 'availability' });
    // It was one before, and a question that waits does not ask twice; both are answered by the one look.
    expect([2, 3]).toContain(row?.requested);
    expect(await countRings(connection.id)).toBe(1);
  });

  /** A worker that does what was requested, as soon as it is. */
  async function syncOnce(connection: BuiltConnection, short = 0) {
    await waitUntil('the request', async () => {
      const done = await ingress.database.sql`
        UPDATE external_calendar_connections SET applied = requested - ${short}, last_synced_at = now()
         WHERE id = ${connection.id} AND requested_by = 'availability' RETURNING id`;
      return done.length === 1;
    });
  }

  test('[I-3] stale: what the live look finds is in the answer, and it is trusted', async () => {
    const connection = await connect({ last_synced_at: ago(1_000) });
    const answer = ask(connection.providerId, [span(0, 4)]);
    await addBusy(connection, 1, 2);
    await syncOnce(connection);
    const { json } = await answer;
    expect([json.free, json.trusted]).toEqual([[span(0, 1), span(2, 4)], true]);
  });

  test('[I-3] the caller decides how old evidence may be; however young, a look that began after the question will do', async () => {
    const connection = await connect({ last_synced_at: ago(100) });
    expect((await ask(connection.providerId, [span(0, 1)], { max_age_seconds: 200 })).json.trusted).toBe(true);
    const answer = ask(connection.providerId, [span(0, 1)], { max_age_seconds: 0 });
    await syncOnce(connection);
    expect((await answer).json.trusted).toBe(true);
  });

  test('[I-3] a look that was under way when the question came is not taken for one that began after it', async () => {
    const connection = await connect({ last_synced_at: ago(1_000) });
    const answer = ask(connection.providerId, [span(0, 1)], { max_age_seconds: 0 });
    await syncOnce(connection, 1);
    expect((await answer).json).toMatchObject({ trusted: false, evidence: [{ reason: 'stale' }] });
  });

  test('[I-3] a look that fails ends the wait', async () => {
    const tookMs = await quickest(1_500, async () => {
      const connection = await connect({ last_synced_at: ago(1_000) });
      const answer = ask(connection.providerId, [span(0, 1)]);
      await waitUntil('the failure', async () => {
        const failed = await ingress.database.sql`
          UPDATE external_calendar_connections SET error_count = error_count + 1, backoff_until = now() + interval '5 minutes'
           WHERE id = ${connection.id} AND requested_by = 'availability' RETURNING id`;
        return failed.length === 1;
      });
      const failedAt = performance.now();
      expect((await answer).json).toMatchObject({ trusted: false, evidence: [{ reason: 'backing_off' }] });
      return performance.now() - failedAt;
    });
    expect(tookMs).toBeLessThan(1_500);
  });

  test.each([
    ['CALENDAR_SYNC_ENABLED', 'false'],
    ['CALENDAR_JOBS_ENABLED', 'false'],
    ['CALENDAR_ALLOWLIST_CONNECTION_IDS', randomUUID()],
  ])('[F-1][F-2] with %s at %s no look is asked for, and nothing is promised', async (name, value) => {
    const narrowed = await startIngress({ shares: ingress.database, flags: { [name]: value } });
    const connection = await connect({ last_synced_at: ago(1_000) });
    const before = await ingress.snapshot();
    const { json } = await ask(connection.providerId, [span(0, 1)], {}, narrowed);
    expect(json).toMatchObject({ trusted: false, evidence: [{ reason: 'stale' }] });
    expect(await ingress.snapshot()).toBe(before);
    await narrowed.close();
  });

  test('[I-3] evidence and intervals are of one moment: a reconnect between two readings shows nobody free', async () => {
    const connection = await connect();
    const { sql } = ingress.database;
    await addBusy(connection, 0, 2);
    let isOver = false;
    // Another account: what was known is dropped in the same transaction that says so.
    const flip = async () => {
      while (!isOver) {
        await sql.begin(async (tx) => {
          await tx`UPDATE external_calendar_connections SET status = 'reauth_required' WHERE id = ${connection.id}`;
          await tx`UPDATE external_calendar_events SET is_busy = false WHERE connection_id = ${connection.id}`;
        });
        await sql.begin(async (tx) => {
          await tx`UPDATE external_calendar_connections SET status = 'active' WHERE id = ${connection.id}`;
          await tx`UPDATE external_calendar_events SET is_busy = true WHERE connection_id = ${connection.id}`;
        });
      }
    };
    const flipping = flip();
    const seen = new Set<string>();
    const askMany = async () => {
      for (let turn = 0; turn < 80; turn += 1) {
        const { json } = await ask(connection.providerId, [span(0, 1)]);
        seen.add(`${json.trusted ? 'trusted' : 'unknown'} ${json.free.length === 0 ? 'busy' : 'free'}`);
      }
    };
    await Promise.all([askMany(), askMany(), askMany(), askMany()]);
    isOver = true;
    await flipping;
    expect([...seen].sort()).toEqual(['trusted busy', 'unknown free']);
  });
});

describe('questions', () => {
  const slot = span(0, 1);
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['no object', [1]],
    ['no provider', { slots: [slot] }],
    ['no UUID', { provider_id: "'; DROP TABLE deliveries; --", slots: [slot] }],
    ['no slots', { provider_id: randomUUID() }],
    ['a slot without an end', { provider_id: randomUUID(), slots: [{ start: slot.start }] }],
    ['a slot that ends before it starts', { provider_id: randomUUID(), slots: [{ start: slot.end, end: slot.start }] }],
    [
      'a local time',
      { provider_id: randomUUID(), slots: [{ start: '2026-11-24T09:00:00', end: '2026-11-24T10:00:00' }] },
    ],
    ['no date', { provider_id: randomUUID(), slots: [{ start: 'today', end: 'tomorrow' }] }],
    ['the 30th of February', { provider_id: randomUUID(), slots: [{ start: '2026-02-30T09:00:00Z', end: slot.end }] }],
    ['an age below zero', { provider_id: randomUUID(), slots: [slot], max_age_seconds: -1 }],
    ['an age that is no number', { provider_id: randomUUID(), slots: [slot], max_age_seconds: '1' }],
    ['too many slots', { provider_id: randomUUID(), slots: Array(2_001).fill(slot) }],
  ])('[W-6] %s is no question: 400', async (_, body) => {
    const answer = await ingress.call('POST', PATH, body);
    expect([answer.status, answer.json.error.code]).toEqual([400, 'invalid_question']);
  });

  test('[W-6] half a document is 400, in the same shape', async () => {
    const headers = { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' };
    const answer = await ingress.send('POST', PATH, { headers, body: '{"provider_id":' });
    expect([answer.status, answer.json.error.code]).toEqual([400, 'unreadable_request']);
  });

  test('[W-6] a time that PostgreSQL cannot hold is 400', async () => {
    const slots = [{ start: '0000-06-01T00:00:00Z', end: '0000-12-31T23:59:59-14:00' }];
    expect((await ask(randomUUID(), slots)).status).toBe(400);
    const last = [{ start: '9999-12-31T00:00:00Z', end: '9999-12-31T23:59:59-14:00' }];
    expect((await ask(randomUUID(), last)).status).toBe(400);
  });

  test.each(['', 'Bearer', 'Bearer wrong', `bearer${API_TOKEN}`, `Basic ${API_TOKEN}`])(
    '[W-6] with %j for a token it is 401',
    async (authorization) => {
      const answer = await ingress.send('POST', PATH, { headers: { authorization } });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    },
  );
});
