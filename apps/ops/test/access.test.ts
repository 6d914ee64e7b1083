/** The door of the ops app over real HTTP: who gets in, what a reader may not, whose pages may ask for changes. */
import { QUEUE_NAMES } from '@bookiji/queues';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OPS_TOKEN, READER_TOKEN, startOps, type TestOps } from './ops-harness.ts';

const NOWHERE = '11111111-1111-4111-8111-111111111111';
const PAGES = ['/', '/connections', '/dead-letters', '/switches', '/runbooks', '/queues', `/connections/${NOWHERE}`];
const APIS = ['/api/ops/metrics/calendar', '/api/ops/flags', '/api/ops/switches', '/api/ops/dead-letters'];
const QUEUE = `/queues/api/queues/${QUEUE_NAMES.inboundSync}`;
const CHANGES: readonly (readonly [method: string, path: string])[] = [
  ['PUT', '/api/ops/flags'],
  ['PUT', '/api/ops/switches'],
  ['POST', `/api/ops/dead-letters/${NOWHERE}/replay`],
  ['POST', `/dead-letters/${NOWHERE}/replay`],
  ['POST', `/connections/${NOWHERE}/sync`],
  ['POST', `/connections/${NOWHERE}/disconnect`],
  ['POST', '/switches'],
  ['PUT', `${QUEUE}/pause`],
  ['PUT', `${QUEUE}/empty`],
  ['PUT', '/queues/api/queues/pause'],
];

let ops: TestOps;
beforeAll(async () => {
  ops = await startOps();
});
afterAll(() => ops.close());

const logIn = async (password: string, name = '') => {
  const answer = await ops.ask('/login', { form: { password, name }, as: null });
  return { ...answer, cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '' };
};

describe('[S-5] without a login', () => {
  test.each(PAGES)('the page %s leads to the form', async (path) => {
    const answer = await ops.ask(path, { as: null, headers: { accept: 'text/html' } });
    const to = path === '/' ? '' : `?to=${encodeURIComponent(path)}`;
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `/login${to}`]);
  });

  test.each([...APIS, ...PAGES])('%s is 401 to a program, with no content', async (path) => {
    for (const as of [null, 'a-wrong-token-of-good-length']) {
      const answer = await ops.ask(path, { as, headers: { accept: 'application/json' } });
      expect(answer.status).toBe(401);
      expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'unauthorized' } });
    }
  });

  test.each(CHANGES)('%s %s is 401', async (method, path) => {
    expect((await ops.ask(path, { method, as: null, json: {} })).status).toBe(401);
  });

  test('health and this process’s metrics are open, as everywhere', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics'])
      expect((await ops.ask(path, { as: null })).status).toBe(200);
  });
});

describe('[S-5] the form', () => {
  test('refuses a wrong password and lets nobody in by it', async () => {
    const refused = await logIn('a-wrong-token-of-good-length');
    expect(refused.status).toBe(401);
    expect(refused.text).toContain('not known here');
    expect(refused.cookie).toBe('');
    const inside = await ops.ask('/', { as: null, headers: { cookie: 'calsync_ops=0.9999999999..x' } });
    expect(inside.status).toBe(401);
  });

  test('opens a session that the operator log knows by name, and closes it', async () => {
    const opened = await logIn(OPS_TOKEN, 'Robin');
    expect([opened.status, opened.headers.get('location')]).toEqual([303, '/']);
    const headers = { cookie: opened.cookie };
    expect((await ops.ask('/', { as: null, headers })).text).toContain('Robin (ops-token-1)');
    expect(await ops.operatorLog()).toContainEqual(
      expect.objectContaining({ actor: 'Robin (ops-token-1)', action: 'logged_in' }),
    );
    const closed = await ops.ask('/logout', { method: 'POST', as: null, headers });
    expect(closed.headers.get('set-cookie')).toContain('Max-Age=0');
  });

  test('never says or logs a token', async () => {
    await logIn('a-secret-typed-into-the-form');
    await ops.ask('/', { as: 'a-secret-sent-as-bearer' });
    const logged = ops.lines.join('');
    expect(logged).toContain('login refused');
    for (const secret of [OPS_TOKEN, 'a-secret-typed-into-the-form', 'a-secret-sent-as-bearer'])
      expect(logged).not.toContain(secret);
  });
});

describe('[S-5] guessing', () => {
  test('is told to wait, by the form and by header, and shuts nobody out who has a right token', async () => {
    const slowed = await startOps({ failuresPerMinute: 3 });
    try {
      const wrong = 'a-wrong-token-of-good-length';
      for (let tries = 0; tries < 3; tries += 1)
        expect((await slowed.ask('/api/ops/flags', { as: wrong })).status).toBe(401);
      const byHeader = await slowed.ask('/api/ops/flags', { as: wrong });
      expect([byHeader.status, Number(byHeader.headers.get('retry-after')) > 0]).toEqual([429, true]);
      const byForm = await slowed.ask('/login', { form: { password: wrong }, as: null });
      expect([byForm.status, Number(byForm.headers.get('retry-after')) > 0]).toEqual([429, true]);
      expect(slowed.lines.filter((line) => line.includes('login refused'))).toHaveLength(3);

      expect((await slowed.ask('/api/ops/flags')).status).toBe(200);
      const opened = await slowed.ask('/login', { form: { password: OPS_TOKEN }, as: null });
      expect(opened.status).toBe(303);
      const headers = { cookie: (opened.headers.get('set-cookie') ?? '').split(';')[0] ?? '' };
      expect((await slowed.ask('/api/ops/flags', { as: null, headers })).status).toBe(200);
    } finally {
      await slowed.close();
    }
  });
});

describe('[S-5] what was asked for before the login', () => {
  const html = { accept: 'text/html' };

  test('is shown after it', async () => {
    const asked = await ops.ask('/runbooks/calendar-breaker-open?x=1', { as: null, headers: html });
    expect(asked.headers.get('location')).toBe('/login?to=%2Frunbooks%2Fcalendar-breaker-open%3Fx%3D1');
    const form = await ops.ask(asked.headers.get('location') ?? '', { as: null });
    expect(form.text).toContain('name="to" value="/runbooks/calendar-breaker-open?x=1"');
    const to = '/runbooks/calendar-breaker-open?x=1';
    const opened = await ops.ask('/login', { form: { password: OPS_TOKEN, to }, as: null });
    expect([opened.status, opened.headers.get('location')]).toEqual([303, to]);
  });

  test.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/.//evil.example',
    'javascript:alert(1)',
    '/\t/evil.example',
  ])('is never another site (%j)', async (to) => {
    const opened = await ops.ask('/login', { form: { password: OPS_TOKEN, to }, as: null });
    expect(opened.headers.get('location')).toBe('/');
  });
});

describe('what goes wrong', () => {
  test.each([
    ['/nowhere', 404, 'There is nothing here'],
    [`/connections/${NOWHERE}`, 404, 'It may have been disconnected'],
    [`/dead-letters/${NOWHERE}`, 404, 'There is nothing here'],
    ['/runbooks/nonsense', 404, 'There is nothing here'],
  ])('at %s is a page to a person and JSON to a program', async (path, status, words) => {
    const seen = await ops.ask(path, { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect([seen.status, seen.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8']);
    expect(seen.text).toContain(words);
    expect(seen.text).toContain('aria-label="Main"');
    const told = await ops.ask(path);
    expect([told.status, Object.keys(JSON.parse(told.text) as object)]).toEqual([status, ['error']]);
  });

  test('a route for programs answers JSON whoever asks', async () => {
    const answer = await ops.ask('/api/ops/flags', { as: null, headers: { accept: 'text/html' } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'application/json; charset=utf-8']);
  });
});

describe('[S-5] a change that comes from somebody else’s page', () => {
  const foreign: readonly Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: 'https://other.bookiji.example' },
  ];
  test.each(CHANGES)('%s %s is 403, whatever credentials it carries', async (method, path) => {
    const { cookie } = await logIn(OPS_TOKEN);
    for (const headers of foreign) {
      for (const credentials of [{ as: OPS_TOKEN }, { as: null, headers: { cookie } }]) {
        const all = { ...credentials.headers, ...headers };
        const answer = await ops.ask(path, { method, json: {}, as: credentials.as, headers: all });
        expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([403, 'foreign_origin']);
      }
    }
    expect(await ops.queues.queue(QUEUE_NAMES.inboundSync).isPaused()).toBe(false);
  });

  test('cannot log anybody in either', async () => {
    const answer = await ops.ask('/login', {
      form: { password: OPS_TOKEN },
      as: null,
      headers: { origin: 'https://evil.example' },
    });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });
});

describe('[S-5] read-only mode', () => {
  test.each(CHANGES)('%s %s is 403 to a reader', async (method, path) => {
    const answer = await ops.ask(path, { method, json: {}, as: READER_TOKEN });
    expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([403, 'read_only']);
  });

  test('a reader sees everything, without a button that could not work', async () => {
    for (const path of [...PAGES.slice(0, -1), ...APIS])
      expect((await ops.ask(path, { as: READER_TOKEN })).status).toBe(200);
    const switches = await ops.ask('/switches', { as: READER_TOKEN });
    expect(switches.text).toContain('read-only');
    expect(switches.text).not.toContain('action="/switches"');
    const board = JSON.parse((await ops.ask('/queues/api/queues?page=1&jobsPerPage=5', { as: READER_TOKEN })).text);
    expect(board.queues.map((queue: { readOnlyMode: boolean }) => queue.readOnlyMode)).toEqual(Array(5).fill(true));
  });

  test('holds for everybody when the process is started so', async () => {
    const readOnly = await startOps({ isReadOnly: true });
    try {
      expect((await readOnly.ask('/api/ops/flags')).status).toBe(200);
      const change = await readOnly.ask('/api/ops/flags', { method: 'PUT', json: { CALENDAR_JOBS_ENABLED: false } });
      expect(change.status).toBe(403);
    } finally {
      await readOnly.close();
    }
  });
});

describe('[S-5] every answer', () => {
  test.each(['/', '/queues', '/login', '/api/ops/flags', '/nothing'])('%s keeps to itself', async (path) => {
    const { headers } = await ops.ask(path);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.includes("'unsafe-inline'")).toBe(path === '/queues');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
  });

  test('what lies behind the login is stored nowhere', async () => {
    for (const path of ['/', '/api/ops/flags']) {
      expect((await ops.ask(path)).headers.get('cache-control')).toBe('no-store');
    }
  });

  test('no file outside the runbooks and assets can be read by its path', async () => {
    for (const path of [
      '/runbooks/..%2F..%2Fpackage',
      '/runbooks/%2e%2e/decisions/README',
      '/assets/..%2f..%2fpackage.json',
      '/assets/vendor/package.json',
    ]) {
      expect([path, (await ops.ask(path)).status]).toEqual([path, 404]);
    }
  });
});
