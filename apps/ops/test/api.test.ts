/** What programs ask of the ops app, over real HTTP. */
import { randomUUID } from 'node:crypto';
import { FLAG_NAMES } from '@bookiji/flags';
import { QUEUE_NAMES } from '@bookiji/queues';
import { findFreePort } from '@bookiji/runtime';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { READER_TOKEN, startOps, type TestOps } from './ops-harness.ts';

let ops: TestOps;
beforeAll(async () => {
  ops = await startOps();
});
afterAll(() => ops.close());

describe('[F-1] [F-3] flags', () => {
  const all = (over: Readonly<Record<string, boolean>> = {}) => ({
    flags: { ...Object.fromEntries(FLAG_NAMES.map((name) => [name, true])), ...over },
  });
  const put = async (json: unknown) => {
    const { status, text } = await ops.ask('/api/ops/flags', { method: 'PUT', json });
    return { status, body: JSON.parse(text) as unknown };
  };

  test.each([
    ['one', { CALENDAR_JOBS_ENABLED: false }, { CALENDAR_JOBS_ENABLED: false }],
    [
      'the same under "flags", as it was read',
      { flags: { CALENDAR_JOBS_ENABLED: false } },
      { CALENDAR_JOBS_ENABLED: false },
    ],
    ['none, which changes nothing', {}, {}],
  ])('any subset of booleans may be put: %s', async (_, json, over) => {
    expect(await put(json)).toEqual({ status: 200, body: all(over) });
    expect(await put(all().flags)).toEqual({ status: 200, body: all() });
  });

  test.each([
    [{ CALENDAR_JOBS_ENABLED: 'false' }],
    [{ CALENDAR_JOBS_ENABLED: null }],
    [{ SOMETHING_ELSE: true }],
    [{ flags: { SOMETHING_ELSE: true } }],
    [[]],
    ['off'],
  ])('%j is 400 and turns nothing', async (json) => {
    expect(await put(json)).toMatchObject({ status: 400, body: { error: { code: expect.any(String) } } });
    expect(JSON.parse((await ops.ask('/api/ops/flags')).text)).toEqual(all());
  });
});

describe('[O-1] a dead letter that is replayed', () => {
  const open = async () => {
    const [row] = await ops.database.sql`
      INSERT INTO dead_letters (kind, reason, subject, payload)
      VALUES ('booking_event', 'version', ${`job:${randomUUID()}`}, '{"schema": 1}') RETURNING id`;
    return row?.id as string;
  };
  const replay = async (id: string) => {
    const { status, text } = await ops.ask(`/api/ops/dead-letters/${id}/replay`, { method: 'POST' });
    return { status, body: JSON.parse(text) as unknown };
  };

  test('is 202, also when it is still invalid: the answer says so, and the letter stays open', async () => {
    const id = await open();
    const body = { id, outcome: 'still_invalid', reason: expect.stringContaining('type') };
    expect(await replay(id)).toEqual({ status: 202, body });
    expect((await ops.ask('/api/ops/dead-letters')).text).toContain(id);
  });

  test('is 409 once it is closed, 404 when there is none and 400 without an id', async () => {
    const id = await open();
    await ops.database.sql`UPDATE dead_letters SET replayed_at = now() WHERE id = ${id}`;
    expect(await replay(id)).toMatchObject({ status: 409 });
    expect(await replay(randomUUID())).toMatchObject({ status: 404 });
    expect(await replay('nonsense')).toMatchObject({ status: 400 });
  });
});

test('[B-1] ops that never met its Redis answers all the same, and says that the queues do not', async () => {
  const alone = await startOps({ redisUrl: `redis://127.0.0.1:${await findFreePort()}` });
  try {
    const answers = await Promise.all(
      ['/metrics', '/api/ops/metrics/calendar', '/'].map(async (path) => {
        const late = new Promise<string>((resolve) => setTimeout(() => resolve(`${path} is late`), 8_000).unref());
        return Promise.race([alone.ask(path).then(({ status, text }) => `${status} ${text}`), late]);
      }),
    );
    expect(answers.map((answer) => answer.slice(0, 3))).toEqual(['200', '200', '200']);
    expect(answers[0]).toMatch(/^calendar_store_errors_total{store="queue",role="ops"} [1-9]/m);
    expect(answers[0]).toMatch(/^calendar_intents_pending{kind="inbound",role="ops"} 0$/m);
    expect(answers[2]).toContain('does not answer');
  } finally {
    await alone.close();
  }
}, 60_000);

test('dead letters are listed as they came to who may replay them, and without personal data to who may only look', async () => {
  const [id, booking] = [randomUUID(), randomUUID()];
  const payload = {
    schema: 1,
    booking_id: booking,
    booking: { title: 'Lip filler', notes: 'ring twice', attendee: { name: 'Ana Lindt', email: 'ana@lindt.example' } },
  };
  await ops.database.sql`
    INSERT INTO dead_letters (id, kind, reason, subject, payload)
    VALUES (${id}, 'booking_event', 'version', ${`job:${id}`}, ${JSON.stringify(payload)}::text::jsonb)`;
  const { status, text } = await ops.ask('/api/ops/dead-letters', { as: READER_TOKEN });
  const all = JSON.parse(text) as { dead_letters: { id: string; payload: unknown }[] };
  const { dead_letters: letters } = all;
  expect(status).toBe(200);
  expect(letters.find((letter) => letter.id === id)?.payload).toMatchObject({
    booking_id: booking,
    booking: { title: '(hidden text, 10 characters)', attendee: { email: '(hidden text, 17 characters)' } },
  });
  expect(text).not.toMatch(/Lip filler|ring twice|Lindt|lindt/);
  const full = JSON.parse((await ops.ask('/api/ops/dead-letters')).text) as typeof all;
  expect(full.dead_letters.find((letter) => letter.id === id)?.payload).toEqual(payload);
});

describe('[S-5] Bull Board', () => {
  interface Shown {
    readonly queues: readonly {
      readonly name: string;
      readonly isPaused: boolean;
      readonly counts: { readonly waiting: number };
    }[];
  }

  test('counts what waits in a paused queue', async () => {
    const queue = ops.queues.queue(QUEUE_NAMES.retry);
    await ops.ask(`/queues/api/queues/${QUEUE_NAMES.retry}/pause`, { method: 'PUT' });
    await queue.add('keep_channel', { task: 'keep_channel' });
    const shown = JSON.parse((await ops.ask('/queues/api/queues')).text) as Shown;
    const board = shown.queues.find(({ name }) => name === QUEUE_NAMES.retry);
    expect(board).toMatchObject({ isPaused: true, counts: { waiting: 1 } });
    await ops.ask(`/queues/api/queues/${QUEUE_NAMES.retry}/resume`, { method: 'PUT' });
    await queue.drain();
  });
});

describe('[B-2] runbooks in the console', () => {
  test('lead to each other, and to nothing that has no page here', async () => {
    const index = (await ops.ask('/runbooks')).text;
    const links = [...index.matchAll(/<article[\s\S]*<\/article>/g)].flatMap(([article]) =>
      [...article.matchAll(/href="([^"]+)"/g)].map(([, to = '']) => to),
    );
    expect(links.length).toBeGreaterThan(30);
    const answers = await Promise.all(links.map(async (to) => [to, (await ops.ask(to)).status]));
    expect(answers.filter(([, status]) => status !== 200)).toEqual([]);
    expect(index).toContain('docs/drills.md');
  });
});
