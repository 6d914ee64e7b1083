import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '@bookiji/local-fleet';
import { openQueues, QUEUE_NAMES } from '@bookiji/queues';
import { sealToken } from '@bookiji/sync';
import { asRole, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createCalsync } from './calsync-harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'calsync-'));
let database: TestDatabase;
let calsync: ReturnType<typeof createCalsync>;
beforeAll(async () => {
  database = await createTestDatabase();
  calsync = createCalsync({
    DATABASE_URL: database.url,
    QUEUE_PREFIX: `{cli-${randomUUID().slice(0, 8)}}`,
    CALENDAR_SYNC_ENABLED: 'true',
  });
});
afterAll(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await database.sql`TRUNCATE external_calendar_connections, operator_switches, audit_log, dead_letters CASCADE`;
});

const operatorLog = () => database.sql`SELECT actor, action, subject, details FROM audit_log ORDER BY id`;

describe('what is said and how it ends', () => {
  test.each([[[]], [['connections']], [['drill']], [['flags', 'set']], [['go-no-go']]])(
    'help of %j teaches by examples and ends with 0',
    async (command) => {
      const { code, stdout } = await calsync(...command, '--help');
      expect(code).toBe(0);
      expect(stdout).toContain('Usage: calsync');
      if (command.length < 2) expect(stdout).toContain('npm run calsync -- ');
    },
  );

  test.each([
    [['nonsense'], 2],
    [['sync'], 2],
    [['sync', 'x'], 2],
    [['connections', 'show', 'x'], 2],
    [['connections', 'list', '--state', 'odd'], 2],
    [['flags', 'set', 'CALENDAR_EVERYTHING', 'off'], 2],
    [['flags', 'set', 'queue:nonsense', 'off'], 2],
    [['connections', 'erase', randomUUID()], 2],
    [['drill', 'nonsense'], 2],
    [['connections', 'show', randomUUID()], 1],
    [['dead-letters', 'show', randomUUID()], 1],
    [['sync', randomUUID()], 1],
  ])('%j ends with %i, and as JSON with one document that says why', async (command, wanted) => {
    const { code, stderr, json } = await calsync(...command, '--json');
    expect(code).toBe(wanted);
    expect(stderr).not.toBe('');
    expect(json<{ error: { message: string } }>().error.message.length).toBeGreaterThan(5);
  });

  test.each([[['--help']], [['help', 'sync']], [['drill', '--help']]])(
    '[P-1] help of %j is one JSON document too',
    async (command) => {
      const { code, json } = await calsync(...command, '--json');
      expect(code).toBe(0);
      expect(json<{ help: string }>().help).toContain('Usage: calsync');
    },
  );

  test('[P-1] npm adds nothing of its own to the document', () => {
    const { stdout } = spawnSync('npm', ['run', 'calsync', '--', '--help', '--json'], { cwd: ROOT, encoding: 'utf8' });
    expect(JSON.parse(stdout)).toMatchObject({ help: expect.stringContaining('Usage: calsync') });
  });

  test.each([[[]], [['migrate']]])(
    '%j without a command says in its JSON document what is missing',
    async (command) => {
      const { code, json } = await calsync(...command, '--json');
      expect(code).toBe(2);
      expect(json<{ error: { message: string } }>().error.message).toContain('a command is missing');
    },
  );

  test('[P-1] drills that a target does not allow are named in one document, and end with 1', async () => {
    const { code, json, stderr } = await calsync(
      ...['drill', 'provider-outage', '--target', 'http://127.0.0.1:1', '--token', 'a-token-of-the-tests'],
      ...['--evidence', join(folder, 'evidence'), '--json'],
    );
    expect({ code, ...json<object>() }).toMatchObject({ code: 1, drills: [], skipped: [{ name: 'provider-outage' }] });
    expect(stderr).toContain('none of these drills can be played');
  });

  test('a database that is away ends with 3', async () => {
    const away = createCalsync({ DATABASE_URL: 'postgres://app@127.0.0.1:1/none' });
    const { code, stderr } = await away('connections', 'list');
    expect({ code, stderr }).toEqual({ code: 3, stderr: 'calsync: the database at DATABASE_URL does not answer\n' });
  });
});

describe('connections', () => {
  test('are listed, searched and shown, those with trouble first', async () => {
    const healthy = await insertConnection(database.sql, { columns: { last_synced_at: new Date().toISOString() } });
    const failing = await insertConnection(database.sql, { columns: { error_count: 3 } });
    await database.sql`
      UPDATE external_calendar_connections
         SET last_error = '{"kind": "transient", "reason": "timeout"}', backoff_until = now() + interval '1 hour'
       WHERE id = ${failing.id}`;
    const listed = (await calsync('connections', '--json')).json<{ connections: { id: string }[]; total: number }>();
    expect(listed.connections.map(({ id }) => id)).toEqual([failing.id, healthy.id]);
    const found = (await calsync('connections', 'search', healthy.providerId.slice(0, 10), '--json')).json<
      typeof listed
    >();
    expect(found.connections.map(({ id }) => id)).toEqual([healthy.id]);
    const waiting = (await calsync('connections', 'list', '--state', 'waiting', '--json')).json<typeof listed>();
    expect(waiting.connections.map(({ id }) => id)).toEqual([failing.id]);
    const shown = await calsync('connections', 'show', failing.id);
    expect(shown.stdout).toContain('Google did not answer in time.');
    expect(shown.stdout).toContain(`calsync sync ${failing.id}`);
    expect((await calsync('connections', 'show', healthy.id)).stdout).toContain('Nothing is wrong with it.');
  });

  test('are paused and resumed by their switch, with who and why', async () => {
    const { id } = await insertConnection(database.sql);
    expect((await calsync('connections', 'pause', id, '--reason', 'owner asked')).code).toBe(0);
    const switches = () => database.sql`SELECT name, is_on FROM operator_switches`;
    expect([...(await switches())]).toEqual([{ name: `connection:${id}`, is_on: false }]);
    await calsync('connections', 'resume', id);
    expect([...(await switches())]).toEqual([{ name: `connection:${id}`, is_on: true }]);
    expect([...(await operatorLog())]).toEqual([
      { actor: 'calsync:vera', action: 'switch_off', subject: `connection:${id}`, details: { reason: 'owner asked' } },
      { actor: 'calsync:vera', action: 'switch_on', subject: `connection:${id}`, details: {} },
    ]);
  });

  test('are disconnected by a wish, and erased only with a yes', async () => {
    const [leaving, gone] = [await insertConnection(database.sql), await insertConnection(database.sql)];
    expect((await calsync('connections', 'disconnect', leaving.id, '--why', 'left us')).code).toBe(0);
    const [row] = await database.sql`
      SELECT sync_enabled, status_reason FROM external_calendar_connections WHERE id = ${leaving.id}`;
    expect(row).toEqual({ sync_enabled: false, status_reason: 'disconnect_requested' });
    const erase = (...options: string[]) => calsync('connections', 'erase', gone.id, ...options);
    expect((await erase('--reason', 'a test')).code).toBe(2);
    expect((await erase('--yes', '--reason', 'a test')).code).toBe(0);
    expect((await erase('--yes', '--reason', 'a test')).code).toBe(1);
    const actions = (await operatorLog()).map(({ action }) => action);
    expect(actions).toEqual(['disconnect_requested', 'connection_erased']);
  });
});

test.each([
  ['connections', 'disconnect'],
  ['connections', 'erase', '--yes'],
  ['dead-letters', 'discard'],
])('%s %s, which nobody can undo, asks for a reason and does nothing without one', async (noun, verb, ...options) => {
  const connection = await insertConnection(database.sql);
  const [letter] = await database.sql<{ id: string }[]>`
    INSERT INTO dead_letters (kind, reason, subject, payload) VALUES ('booking_event', 'version', 'job:1', '{}') RETURNING id`;
  const id = noun === 'connections' ? connection.id : (letter?.id ?? '');
  for (const reason of [[], ['--reason', ' ']]) {
    const { code, stderr } = await calsync(noun, verb, id, ...options, ...reason);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--reason')]);
  }
  expect(await operatorLog()).toHaveLength(0);
  expect((await calsync(noun, verb, id, ...options, '--reason', 'a test')).code).toBe(0);
  expect(await operatorLog()).toHaveLength(1);
});

describe('migrations', () => {
  test('[M-1] go up and down with an entry in the operator log, as long as there is one', async () => {
    expect((await calsync('migrate', 'down', '2')).code).toBe(0);
    expect((await calsync('migrate', 'up')).code).toBe(0);
    const [down, up] = await operatorLog();
    expect(down).toEqual({
      actor: 'calsync:vera',
      action: 'migrated_down',
      subject: 'schema',
      details: { migrations: up?.details.migrations.toReversed() },
    });
    expect(up).toMatchObject({
      action: 'migrated_up',
      details: { migrations: [expect.any(String), expect.any(String)] },
    });
    await calsync('migrate', 'up');
    expect(await operatorLog()).toHaveLength(2);
  });

  test('[M-1] are all rolled back only with a yes where a person is watching; scripts go on as before', async () => {
    const own = await createTestDatabase();
    const environment = { DATABASE_URL: own.url };
    const watched = createCalsync(environment, undefined, { isTTY: true });
    const { code, stderr } = await watched('migrate', 'down', '--all');
    expect([code, stderr]).toEqual([2, expect.stringContaining('--yes')]);
    expect(await own.sql`SELECT FROM external_calendar_connections`).toHaveLength(0);
    expect((await watched('migrate', 'down', '--all', '--yes')).code).toBe(0);
    expect((await watched('migrate', 'up')).code).toBe(0);
    expect((await createCalsync(environment)('migrate', 'down', '--all')).code).toBe(0);
    expect((await own.sql`SELECT to_regclass('audit_log') AS log`)[0]).toEqual({ log: null });
    await own.drop();
  });
});

describe('sync', () => {
  test('[I-4] asks for every calendar of a provider, or what is due, and rings', async () => {
    const google = await insertConnection(database.sql, { columns: { requested: 1, applied: 1 } });
    const { providerId } = google;
    const microsoft = await insertConnection(database.sql, { providerId, calendarProvider: 'microsoft' });
    const due = (await calsync('sync', '--due', '--json')).json();
    expect(due).toEqual({ queued: [microsoft.id], rung: true });
    const all = (await calsync('sync', providerId, '--json')).json<{ queued: string[] }>();
    expect(all.queued.sort()).toEqual([google.id, microsoft.id].sort());
    const rows = await database.sql`SELECT sync_needed, requested_by FROM external_calendar_connections`;
    expect([...rows]).toEqual(Array(2).fill({ sync_needed: true, requested_by: 'manual' }));
  });

  test('[I-4] that is waited for in vain ends with 1', async () => {
    const { id } = await insertConnection(database.sql);
    expect((await calsync('sync', id, '--wait', '1')).code).toBe(1);
  });
});

describe('flags', () => {
  test('[F-1] [F-3] are narrowed, never widened; cleared, the environment decides again', async () => {
    interface Listing {
      flags: { name: string; environment: boolean; switched_off: boolean; effective: boolean }[];
    }
    const read = async (name: string) =>
      (await calsync('flags', 'list', '--json')).json<Listing>().flags.find((flag) => flag.name === name);
    await calsync('flags', 'set', 'CALENDAR_SYNC_ENABLED', 'off', '--reason', 'incident');
    expect(await read('CALENDAR_SYNC_ENABLED')).toMatchObject({
      environment: true,
      switched_off: true,
      effective: false,
    });
    const widened = await calsync('flags', 'set', 'CALENDAR_JOBS_ENABLED', 'on', '--json');
    expect(widened.json()).toEqual({ name: 'CALENDAR_JOBS_ENABLED', effective: false });
    expect((await calsync('flags', 'clear', 'CALENDAR_SYNC_ENABLED', '--why', 'over', '--json')).json()).toEqual({
      name: 'CALENDAR_SYNC_ENABLED',
      cleared: true,
    });
    expect(await read('CALENDAR_SYNC_ENABLED')).toMatchObject({ switched_off: false, effective: true });
    expect((await operatorLog()).map(({ action, details }) => [action, details])).toEqual([
      ['switch_off', { reason: 'incident' }],
      ['switch_on', {}],
      ['switch_cleared', { reason: 'over' }],
    ]);
  });

  test('[F-1] say that the environment shown is that of this shell, not of the processes', async () => {
    const laptop = createCalsync({ DATABASE_URL: database.url });
    const listed = await laptop('flags', 'list');
    expect(listed.stdout).toMatch(/^flag +this shell +operator +effective here$/m);
    expect(listed.stdout).toContain('GET /api/ops/flags says what is in force in the fleet');
    const set = await laptop('flags', 'set', 'CALENDAR_JOBS_ENABLED', 'on');
    expect(set.stdout).not.toContain('stays off');
    expect(set.stdout).toContain('on wherever the environment of a process allows it; that of this shell does not');
  });

  test.each(['--reason', '--why'])('[F-3] take the reason by %s', async (option) => {
    expect((await calsync('flags', 'set', 'shadow', 'on', option, 'rehearsal')).code).toBe(0);
    expect((await operatorLog()).map(({ details }) => details)).toEqual([{ reason: 'rehearsal' }]);
  });

  test.each([
    ['flags', 'set'],
    ['flags', 'clear'],
    ['connections', 'pause'],
    ['connections', 'resume'],
    ['connections', 'disconnect'],
    ['connections', 'erase'],
    ['dead-letters', 'discard'],
  ])('help of %s %s names one option for the reason', async (...command) => {
    const { stdout } = await calsync(...command, '--help');
    expect(stdout).toContain('--reason <text>');
    expect(stdout).not.toContain('--why');
  });

  test.each(['provider:google', 'queue:calendar-outbound-sync', 'shadow'])('[F-3] turn %s as well', async (name) => {
    expect((await calsync('flags', 'set', name, 'off')).code).toBe(0);
    expect((await calsync('flags', 'list')).stdout).toContain(name);
  });
});

describe('with the rights of ops, inside whose container the runbooks run them', () => {
  test('flags, connections, syncs and letters are looked at and turned', async () => {
    const inside = createCalsync({
      DATABASE_URL: asRole(database.url, 'calsync_ops'),
      QUEUE_PREFIX: `{cli-${randomUUID().slice(0, 8)}}`,
      CALENDAR_JOBS_ENABLED: 'true',
    });
    const { id, providerId } = await insertConnection(database.sql);
    const [letter, other] = await database.sql<{ id: string }[]>`
      INSERT INTO dead_letters (kind, reason, subject, payload)
      SELECT 'booking_event', 'version', 'job:' || n, ${JSON.stringify(makeEvent())}::text::jsonb FROM generate_series(1, 2) n
      RETURNING id`;
    for (const command of [
      ['flags', 'list'],
      ['flags', 'set', 'CALENDAR_JOBS_ENABLED', 'off', '--reason', 'a test'],
      ['flags', 'clear', 'CALENDAR_JOBS_ENABLED'],
      ['connections', '--provider', providerId],
      ['connections', 'show', id],
      ['connections', 'pause', id],
      ['connections', 'resume', id],
      ['connections', 'reopen-channel', id],
      ['sync', id],
      ['dead-letters', 'list'],
      ['dead-letters', 'show', letter?.id ?? ''],
      ['dead-letters', 'replay', letter?.id ?? ''],
      ['dead-letters', 'discard', other?.id ?? '', '--reason', 'a test'],
      ['connections', 'disconnect', id, '--reason', 'a test'],
      ['migrate', 'status'],
    ])
      expect([command, await inside(...command)]).toEqual([command, expect.objectContaining({ code: 0 })]);
  });
});

test('with the rights of a worker, where the keys are, tokens are re-sealed and the schema is verified', async () => {
  const TOKEN_ENCRYPTION_KEYS = `only:${randomBytes(32).toString('base64')}`;
  const inside = createCalsync({ DATABASE_URL: asRole(database.url, 'calsync_worker'), TOKEN_ENCRYPTION_KEYS });
  for (const command of [['reseal'], ['migrate', 'verify']])
    expect([command, await inside(...command)]).toEqual([command, expect.objectContaining({ code: 0 })]);
});

describe('dead letters', () => {
  async function letter(payload: unknown = { schema: 1 }): Promise<string> {
    const [row] = await database.sql<{ id: string }[]>`
      INSERT INTO dead_letters (kind, reason, subject, payload)
      VALUES ('booking_event', 'version', ${`job:${randomUUID()}`}, ${JSON.stringify(payload)}::text::jsonb) RETURNING id`;
    return row?.id ?? '';
  }

  test('are listed, shown, and replayed only when they can be done', async () => {
    const bad = await letter();
    const good = await letter(makeEvent());
    const listed = (await calsync('dead-letters', 'list', '--json')).json<{ dead_letters: { id: string }[] }>();
    expect(listed.dead_letters).toHaveLength(2);
    expect((await calsync('dead-letters', 'show', bad, '--json')).json()).toMatchObject({ id: bad, reason: 'version' });
    const failed = await calsync('dead-letters', 'replay', bad, '--json');
    expect([failed.code, failed.json<{ outcome: string }>().outcome]).toEqual([1, 'still_invalid']);
    const done = await calsync('dead-letters', 'replay', good, '--json');
    expect([done.code, done.json<{ outcome: string }>().outcome]).toEqual([0, 'replayed']);
    const rest = await calsync('dead-letters', 'replay', '--all', '--json');
    expect([rest.code, rest.json<{ replayed: unknown[] }>().replayed.length]).toEqual([1, 1]);
  });

  test('[O-1] about held deletions are answered by writing the events again, and no other letter is', async () => {
    const connection = await insertConnection(database.sql);
    const bookingId = randomUUID();
    await database.sql`
      INSERT INTO booking_intents (booking_id, provider_id, version, state, start_time, end_time, details, event_id)
      VALUES (${bookingId}, ${connection.providerId}, 1, 'live', now(), now() + interval '1 hour', '{}', ${randomUUID()})`;
    await database.sql`
      INSERT INTO booking_effects (booking_id, connection_id, version, applied_version, generation)
      VALUES (${bookingId}, ${connection.id}, 1, 1, 1)`;
    await database.sql`
      INSERT INTO external_changes (kind, booking_id, provider_id, connection_id, booking_version, reading)
      VALUES ('held', ${bookingId}, ${connection.providerId}, ${connection.id}, 1, 'gone:0')`;
    const [held] = await database.sql<{ id: string }[]>`
      INSERT INTO dead_letters (kind, reason, subject, payload)
      VALUES ('held_deletions', 'deleted at once', ${connection.id}, '{}') RETURNING id`;
    const id = held?.id ?? '';

    expect((await calsync('dead-letters', 'restore', await letter())).code).toBe(1);
    const restored = await calsync('dead-letters', 'restore', id, '--json');
    expect([restored.code, restored.json()]).toEqual([0, { id, outcome: 'replayed' }]);
    const due = await database.sql`SELECT booking_id FROM booking_effects WHERE applied_version < version`;
    expect([...due]).toEqual([{ booking_id: bookingId }]);
    expect((await calsync('dead-letters', 'restore', id)).code).toBe(1);
    expect((await operatorLog()).map(({ action, details }) => [action, details])).toEqual([
      ['held_deletions_restored', { outcome: 'replayed' }],
      ['held_deletions_restored', { outcome: 'already_replayed' }],
    ]);
  });

  test('are discarded once, with the reason', async () => {
    const id = await letter();
    expect((await calsync('dead-letters', 'discard', id, '--reason', 'a test')).code).toBe(0);
    expect((await calsync('dead-letters', 'discard', id, '--reason', 'a test')).code).toBe(1);
    expect([...(await operatorLog())]).toEqual([
      { actor: 'calsync:vera', action: 'dead_letter_discarded', subject: id, details: { reason: 'a test' } },
    ]);
  });
});

describe('keys', () => {
  const [newest, older] = ['newest', 'older'].map((id) => ({ id, key: randomBytes(32) })) as [SealKey, SealKey];
  interface SealKey {
    readonly id: string;
    readonly key: Buffer;
  }
  const write = (...keys: SealKey[]) => keys.map(({ id, key }) => `${id}:${key.toString('base64')}`).join(',');

  test('[A-1] reseal leaves only the first key needed, and says so by its exit code', async () => {
    const { id } = await insertConnection(database.sql);
    const sealed = sealToken('a refresh token', { connectionId: id, field: 'refresh_token' }, [older]);
    await database.sql`UPDATE external_calendar_connections SET refresh_token_sealed = ${sealed}`;
    const blind = createCalsync({ DATABASE_URL: database.url, TOKEN_ENCRYPTION_KEYS: write(newest) });
    expect((await blind('reseal')).code).toBe(1);
    const both = createCalsync({ DATABASE_URL: database.url, TOKEN_ENCRYPTION_KEYS: write(newest, older) });
    expect((await both('reseal', '--json')).json()).toEqual({
      checked: 1,
      resealed: 1,
      unreadable: [],
      older_key_ids: [],
    });
    expect((await blind('reseal')).code).toBe(0);
    // What changed nothing is not told.
    expect([...(await operatorLog())]).toEqual([
      {
        actor: 'calsync:vera',
        action: 'tokens_resealed',
        subject: 'newest',
        details: { resealed: 1, unreadable: 0, older_key_ids: [] },
      },
    ]);
  });
});

describe('republish', () => {
  const write = (name: string, lines: readonly string[]) => {
    const path = join(folder, name);
    writeFileSync(path, lines.join('\n'));
    return path;
  };

  test('[O-3] publishes every line of a valid file, and nothing of one with a bad line', async () => {
    const prefix = `{republish-${randomUUID().slice(0, 8)}}`;
    const own = createCalsync({ DATABASE_URL: database.url, QUEUE_PREFIX: prefix });
    const queues = openQueues({ kind: 'postgres', url: database.url, prefix }, () => undefined);
    const count = async () => (await queues.queue(QUEUE_NAMES.bookingEvents).getJobCounts('waiting')).waiting;
    const events = [makeEvent(), makeEvent()].map((event) => JSON.stringify(event));
    const bad = await own('republish', write('bad.ndjson', [...events, '{"schema": 1}']));
    expect(bad.code).toBe(1);
    expect(bad.stderr).toContain('line 3');
    expect(await count()).toBe(0);
    const good = write('good.ndjson', [...events, '']);
    expect((await own('republish', good, '--dry-run', '--json')).json()).toEqual({ valid: 2, published: 0 });
    expect((await own('republish', good, '--json')).json()).toEqual({ valid: 2, published: 2 });
    expect(await count()).toBe(2);
    expect((await own('republish', join(folder, 'none'))).code).toBe(2);
    expect([...(await operatorLog())]).toEqual([
      {
        actor: 'calsync:vera',
        action: 'bookings_republished',
        subject: QUEUE_NAMES.bookingEvents,
        details: { file: 'good.ndjson', published: 2 },
      },
    ]);
    await queues.close();
  });
});

function makeEvent() {
  return {
    schema: 1,
    event_id: randomUUID(),
    type: 'booking.cancelled',
    booking_id: randomUUID(),
    provider_id: randomUUID(),
    version: 1,
    occurred_at: '2026-11-20T10:00:00Z',
  };
}
