import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startHealthServer } from './health-server.ts';

let health: Awaited<ReturnType<typeof startHealthServer>>;
beforeAll(async () => {
  const metrics = async () => ({ contentType: 'text/plain', text: 'up 1' });
  health = await startHealthServer({ port: 0, host: '127.0.0.1', answers: { readiness: [], metrics } });
});
afterAll(() => health.stop());

const ask = (path: string, options: RequestInit = {}) => fetch(`http://127.0.0.1:${health.port}${path}`, options);

test.each(['/healthz', '/readyz', '/metrics', '/nothing'])(
  '[B-3] every answer of %s has a request id',
  async (path) => {
    const ids = [(await ask(path)).headers.get('x-request-id'), (await ask(path)).headers.get('x-request-id')];
    for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(ids).size).toBe(2);
    const given = { headers: { 'x-request-id': 'caller-7' } };
    expect((await ask(path, given)).headers.get('x-request-id')).toBe('caller-7');
  },
);

test('[B-1] HEAD says what GET says, and whoever wants a change is told that there is none', async () => {
  const head = await ask('/healthz', { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  const post = await ask('/healthz', { method: 'POST' });
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET']);
  expect(await post.json()).toMatchObject({ error: { code: 'method_not_allowed' } });
});
