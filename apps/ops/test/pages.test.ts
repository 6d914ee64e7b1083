/** What the console shows and does, over real HTTP on a real database and real queues. */
import { randomUUID } from 'node:crypto';
import { QUEUE_NAMES } from '@bookiji/queues';
import { type BuiltConnection, insertChannel, insertConnection } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startOps, type TestOps } from './ops-harness.ts';

const GUEST = 'guest@example.com';

let ops: TestOps;
beforeAll(async () => {
  ops = await startOps();
});
afterAll(() => ops.close());

const lastLogged = async () => (await ops.operatorLog()).at(-1);
const row = async ({ id }: BuiltConnection) => {
  const [found] = await ops.database.sql`SELECT * FROM external_calendar_connections WHERE id = ${id}`;
  return found ?? {};
};
const dedupedJobs = async (queue: string) =>
  (await ops.queues.queue(queue).getJobs(['waiting', 'delayed'])).map((job) => job.data as Record<string, string>);
const failing = (errorCount: number) => ({
  error_count: errorCount,
  last_error: JSON.stringify({ kind: 'transient', reason: 'backendError', status: 503, at: '2026-11-24T09:00:00Z' }),
  backoff_until: '2099-01-01T00:00:00Z',
  last_synced_at: '2026-11-24T08:00:00Z',
});

describe('connections', () => {
  test('are found by the beginning of an id, by state and by calendar provider', async () => {
    const plain = await insertConnection(ops.database.sql, { calendarProvider: 'microsoft' });
    const troubled = await insertConnection(ops.database.sql, { columns: failing(2) });
    const ids = async (query: string) => {
      const { text } = await ops.ask(`/connections?${query}`);
      return [plain, troubled].filter(({ id }) => text.includes(id)).map(({ id }) => id);
    };
    expect(await ids('')).toHaveLength(2);
    expect(await ids(`q=${plain.id.slice(0, 9)}`)).toEqual([plain.id]);
    expect(await ids(`q=${troubled.providerId.toUpperCase().slice(0, 12)}`)).toEqual([troubled.id]);
    expect(await ids('state=failing')).toEqual([troubled.id]);
    expect(await ids('state=waiting&calendar_provider=google')).toEqual([troubled.id]);
    expect(await ids('calendar_provider=microsoft')).toEqual([plain.id]);
    expect(await ids(`q=${encodeURIComponent("' OR 1=1 --<script>")}&state=nonsense&page=-1`)).toEqual([]);
  });

  test('say in plain words what is wrong and what to do, and show runs, receipts, channel and week', async () => {
    const connection = await insertConnection(ops.database.sql, { columns: failing(1) });
    await insertChannel(ops.database.sql, connection);
    const { id, providerId } = connection;
    await ops.database.sql`INSERT INTO deliveries (connection_id, delivery_key) VALUES (${id}, 'channel-x:17')`;
    await ops.database.sql`
      INSERT INTO sync_runs (connection_id, requested_by, mode, outcome, started_at) VALUES (${id}, 'webhook', 'full', 'synced', now())`;
    await ops.database.sql`
      INSERT INTO external_calendar_events (connection_id, provider_id, calendar_provider, external_event_id, start_time, end_time, is_busy, checksum)
      VALUES (${id}, ${providerId}, 'google', 'e1', now() + interval '1 hour', now() + interval '2 hours', true, 'c')`;
    await ops.database.sql`
      INSERT INTO unreadable_items (connection_id, external_event_id, reason) VALUES (${id}, 'odd', 'end_before_start')`;
    const { text } = await ops.ask(`/connections/${id}`);
    for (const shown of [
      'One event in this calendar',
      'end_before_start',
      'backing off',
      'Backing off after one failed try',
      'Google is having trouble',
      'sync it now',
      'channel-x:17',
      'synced (full)',
    ]) {
      expect(text).toContain(shown);
    }
    expect(text).toMatch(/href="\/runbooks\/calendar-sync-failures"/);
    const week = await ops.ask(`/connections/${id}/week?from=2026-01-01T00:00:00Z&to=2026-01-08T00:00:00Z`);
    expect(JSON.parse(week.text).pieces).toMatchObject([{ kind: 'unknown' }]);
    expect((await ops.ask(`/connections/${id}/week?from=2026-01-01&to=2027-01-01`)).status).toBe(400);
  });

  test('that are not there are 404', async () => {
    for (const id of [randomUUID(), 'nonsense', "'; DROP TABLE x"]) {
      expect((await ops.ask(`/connections/${encodeURIComponent(id)}`)).status).toBe(404);
      expect((await ops.ask(`/connections/${encodeURIComponent(id)}/sync`, { form: {} })).status).toBe(404);
    }
  });
});

describe('what an operator does with a connection', () => {
  const press = async (connection: BuiltConnection, action: string, form: Record<string, string> = {}) => {
    const answer = await ops.ask(`/connections/${connection.id}/${action}`, { form });
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      `/connections/${connection.id}?done=${action}`,
    ]);
    return (await ops.ask(answer.headers.get('location') ?? '')).text;
  };

  test('sync now: the wait ends, waiting bookings too, and the workers are rung', async () => {
    const connection = await insertConnection(ops.database.sql, { columns: failing(3) });
    const bookingId = randomUUID();
    await ops.database.sql`
      INSERT INTO booking_intents (booking_id, provider_id, version, state, event_id) VALUES (${bookingId}, ${connection.providerId}, 1, 'cancelled', ${randomUUID()})`;
    await ops.database.sql`
      INSERT INTO booking_effects (booking_id, connection_id, version, next_attempt_at) VALUES (${bookingId}, ${connection.id}, 1, now() + interval '1 hour')`;
    const { requested } = await row(connection);
    expect(await press(connection, 'sync')).toContain('Sync requested');
    expect(await row(connection)).toMatchObject({
      requested: String(Number(requested) + 1),
      backoff_until: null,
      requested_by: 'manual',
    });
    const [effect] = await ops.database
      .sql`SELECT next_attempt_at <= now() AS due FROM booking_effects WHERE booking_id = ${bookingId}`;
    expect(effect?.due).toBe(true);
    expect(await dedupedJobs(QUEUE_NAMES.inboundSync)).toContainEqual({ connection_id: connection.id });
    expect(await dedupedJobs(QUEUE_NAMES.outboundSync)).toContainEqual({
      connection_id: connection.id,
      booking_id: bookingId,
    });
    expect(await lastLogged()).toMatchObject({
      actor: 'ops-token-1',
      action: 'sync_requested',
      subject: connection.id,
    });
  });

  test('pause and resume: its own switch, with the reason', async () => {
    const connection = await insertConnection(ops.database.sql, {
      columns: { last_synced_at: new Date().toISOString() },
    });
    expect(await press(connection, 'pause', { reason: 'owner asked' })).toContain('paused');
    expect(await lastLogged()).toMatchObject({
      action: 'switch_off',
      subject: `connection:${connection.id}`,
      details: { reason: 'owner asked' },
    });
    expect((await ops.ask('/switches')).text).toContain(connection.id);
    expect(await press(connection, 'resume', { reason: 'done' })).not.toContain('An operator paused');
  });

  test('re-open channel: it ends now and its upkeep is rung for', async () => {
    const connection = await insertConnection(ops.database.sql);
    const channel = await insertChannel(ops.database.sql, connection, { expires_at: '2099-01-01T00:00:00Z' });
    await press(connection, 'reopen-channel');
    const [found] = await ops.database.sql`SELECT expires_at <= now() AS ended FROM channels WHERE id = ${channel}`;
    expect(found?.ended).toBe(true);
    expect(await dedupedJobs(QUEUE_NAMES.retry)).toContainEqual({ task: 'keep_channel', connection_id: connection.id });
    expect(await lastLogged()).toMatchObject({ action: 'channel_reopened', subject: connection.id });
  });

  test('disconnect: nothing is synced from then on, and the retry worker is told', async () => {
    const connection = await insertConnection(ops.database.sql);
    expect(await press(connection, 'disconnect', { reason: 'left Bookiji' })).toContain('disconnecting');
    expect(await row(connection)).toMatchObject({ sync_enabled: false, status_reason: 'disconnect_requested' });
    expect(await dedupedJobs(QUEUE_NAMES.retry)).toContainEqual({ task: 'disconnect', connection_id: connection.id });
    expect(await lastLogged()).toMatchObject({ action: 'disconnect_requested', details: { reason: 'left Bookiji' } });
  });

  test('disconnect: without a reason nothing happens, whoever asks', async () => {
    const connection = await insertConnection(ops.database.sql);
    for (const form of [{}, { reason: ' ' }] as Record<string, string>[]) {
      const { status } = await ops.ask(`/connections/${connection.id}/disconnect`, { method: 'POST', form });
      expect(status).toBe(400);
    }
    expect(await row(connection)).toMatchObject({ sync_enabled: true, status_reason: null });
  });
});

describe('dead letters', () => {
  const payload = {
    schema: 1,
    version: 0,
    booking_id: randomUUID(),
    booking: { title: 'Private title', attendee: { email: GUEST } },
  };
  const insertLetter = async (kind: string, subject: string) => {
    const [letter] = await ops.database.sql`
      INSERT INTO dead_letters (kind, reason, subject, payload) VALUES (${kind}, 'version: too small', ${subject}, ${JSON.stringify(payload)}::text::jsonb) RETURNING id`;
    return String(letter?.id);
  };

  test('[B-3] are listed and shown without personal data', async () => {
    const id = await insertLetter('booking_event', 'job:1');
    expect((await ops.ask('/dead-letters')).text).toContain('version: too small');
    const { text } = await ops.ask(`/dead-letters/${id}`);
    expect(text).toContain(payload.booking_id);
    expect(text).toContain('hidden text, 13 characters');
    for (const secret of [GUEST, 'Private title']) expect(text).not.toContain(secret);
  });

  test('are replayed, or stay with the reason when they are still invalid', async () => {
    const invalid = await insertLetter('booking_event', 'job:2');
    const refused = await ops.ask(`/dead-letters/${invalid}/replay`, { form: {} });
    expect(refused.headers.get('location')).toBe(`/dead-letters/${invalid}?done=still_invalid`);
    expect((await ops.ask(refused.headers.get('location') ?? '')).text).toContain('still invalid');
    const gone = await insertLetter('outbound_sync', `${randomUUID()}:${randomUUID()}`);
    const closed = await ops.ask(`/dead-letters/${gone}/replay`, { form: {} });
    expect(closed.headers.get('location')).toBe('/dead-letters?done=nothing_left');
    expect(await lastLogged()).toMatchObject({ action: 'dead_letter_replayed', subject: gone });
  });
});

describe('switches', () => {
  test('[F-1] are turned with a reason, and nobody turns one without', async () => {
    const turn = (form: Record<string, string>) => ops.ask('/switches', { form });
    expect((await turn({ name: 'provider:google', to: 'off' })).status).toBe(400);
    expect((await turn({ name: 'provider:nobody', to: 'off', reason: 'x' })).status).toBe(400);
    expect((await turn({ name: 'provider:google', to: 'off', reason: 'quota <used up>' })).status).toBe(303);
    const { text } = await ops.ask('/switches');
    expect(text).toContain('quota &#60;used up&#62;');
    expect((await ops.ask('/')).text).toContain('provider:google is switched off');
    await turn({ name: 'provider:google', to: 'on', reason: 'quota raised' });
    expect((await ops.ask('/')).text).not.toContain('provider:google is switched off');
  });

  test('can be read and turned by programs', async () => {
    const put = (json: unknown) => ops.ask('/api/ops/switches', { method: 'PUT', json });
    const off = await put({ switches: { shadow: true, 'queue:calendar-retry': false }, reason: 'drill' });
    expect(JSON.parse(off.text).switches).toMatchObject({
      shadow: true,
      'queue:calendar-retry': false,
      'provider:google': true,
    });
    expect(JSON.parse((await ops.ask('/api/ops/switches')).text)).toEqual(JSON.parse(off.text));
    await put({ switches: { shadow: false, 'queue:calendar-retry': true } });
    for (const wrong of [{}, { switches: {} }, { switches: { nonsense: false } }, { switches: { shadow: 'yes' } }]) {
      expect((await put(wrong)).status).toBe(400);
    }
  });
});

describe('[S-5] Bull Board', () => {
  const change = (queue: string, what: string, method = 'PUT', json: unknown = {}) =>
    ops.ask(`/queues/api/queues/${queue}/${what}`, { method, json });

  test('pauses and resumes a queue, which the console shows and the operator log keeps', async () => {
    expect((await change(QUEUE_NAMES.retry, 'pause')).status).toBe(200);
    expect((await ops.ask('/')).text).toContain('calendar-retry is paused in Bull Board');
    expect(await lastLogged()).toMatchObject({
      actor: 'ops-token-1',
      action: 'queue_pause',
      subject: QUEUE_NAMES.retry,
    });
    expect((await change(QUEUE_NAMES.retry, 'resume')).status).toBe(200);
    expect(await ops.queues.queue(QUEUE_NAMES.retry).isPaused()).toBe(false);
  });

  test('empties rings, and sets bookings aside as dead letters that can be replayed', async () => {
    const queue = ops.queues.queue(QUEUE_NAMES.bookingEvents);
    await queue.pause();
    await queue.addBulk([1, 2, 3].map((n) => ({ name: 'booking.created', data: { n } })));
    await ops.queues.queue(QUEUE_NAMES.inboundSync).add('sync', { connection_id: randomUUID() });
    expect((await change(QUEUE_NAMES.inboundSync, 'empty')).status).toBe(200);
    expect(await dedupedJobs(QUEUE_NAMES.inboundSync)).toEqual([]);
    expect((await change(QUEUE_NAMES.bookingEvents, 'empty')).status).toBe(200);
    expect(await queue.getJobs(['waiting', 'paused'] as unknown as 'waiting'[])).toEqual([]);
    const letters = await ops.database
      .sql`SELECT payload FROM dead_letters WHERE reason LIKE 'taken out%' ORDER BY subject`;
    expect(letters.map(({ payload }) => payload)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(await lastLogged()).toMatchObject({ action: 'queue_empty', details: { set_aside: 3 } });
    await queue.resume();
  });

  test('refuses with a reason what would lose facts, and changes nothing', async () => {
    const queue = ops.queues.queue(QUEUE_NAMES.externalChanges);
    const job = await queue.add('moved', { change_id: randomUUID() });
    const refusals = [
      await change(QUEUE_NAMES.externalChanges, 'empty'),
      await change(QUEUE_NAMES.externalChanges, `${job.id}/clean`),
      await change(QUEUE_NAMES.externalChanges, 'clean/wait'),
      await change(QUEUE_NAMES.inboundSync, 'obliterate'),
      await change(QUEUE_NAMES.bookingEvents, 'add', 'POST', { name: 'booking.created', data: {} }),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([409, 409, 409, 409, 409]);
    for (const { text } of refusals) expect(JSON.parse(text).message ?? text).toMatch(/\.$|\."/);
    expect(await queue.getJob(job.id ?? '')).toBeDefined();
  });

  test('[B-3] shows no guest', async () => {
    const queue = ops.queues.queue(QUEUE_NAMES.bookingEvents);
    await queue.add('booking.created', { booking_id: randomUUID(), booking: { attendee: { email: GUEST } } });
    const { text } = await ops.ask(
      `/queues/api/queues?activeQueue=${QUEUE_NAMES.bookingEvents}&status=latest&page=1&jobsPerPage=10`,
    );
    expect(text).toContain('booking_id');
    expect(text).not.toContain(GUEST);
  });
});

describe('[B-1] the metrics route', () => {
  test('answers plain numbers, parts and quantiles, and the same as text', async () => {
    const { timestamp, metrics } = JSON.parse((await ops.ask('/api/ops/metrics/calendar')).text);
    expect(Date.parse(timestamp)).not.toBeNaN();
    expect(metrics).toMatchObject({
      calendar_sync_runs_total: 0,
      calendar_sync_failures_total: 0,
      calendar_sync_items_processed: 0,
      calendar_jobs_enabled: 1,
      calendar_sync_latency_ms: { count: 0, sum: 0, p50: null, p95: null, p99: null },
    });
    const text = (await ops.ask('/api/ops/metrics/calendar?format=prometheus')).text;
    expect(text).toMatch(/^calendar_jobs_enabled 1$/m);
    expect(text).toMatch(/^# TYPE calendar_sync_latency_ms histogram$/m);
  });
});

describe('[B-3] a page that fails', () => {
  test('says so without internals', async () => {
    await ops.database.sql`ALTER TABLE dead_letters RENAME TO hidden`;
    const { status, text } = await ops.ask('/dead-letters');
    await ops.database.sql`ALTER TABLE hidden RENAME TO dead_letters`;
    expect([status, JSON.parse(text).error.code]).toEqual([500, 'internal']);
    expect(text).not.toMatch(/relation|select|stack/i);
  });
});
