import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Harness, type Json, startSandbox } from './harness.ts';

let harness: Harness;
const SPAN = 'from=2026-12-01T00:00:00Z&to=2026-12-08T00:00:00Z';

beforeAll(async () => {
  harness = await startSandbox();
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.admin('POST', '/reset');
  await harness.admin('PUT', '/users', { calendar_provider: 'google', email: 'ada@example.com' });
  await harness.admin('PUT', '/users', { calendar_provider: 'microsoft', email: 'bob@example.com' });
});

const add = (provider: string, email: string, title: string) =>
  harness.admin('POST', `/calendars/${provider}/${email}/events`, { title, start: '2026-12-02T09:00:00Z' });
const week = async () =>
  (await (await fetch(`${harness.url}/page/week?${SPAN}`)).json()) as { calendars: { events: Json[] }[] };

describe('the page', () => {
  test('the page comes whole from the sandbox and may load nothing from elsewhere', async () => {
    const page = await fetch(`${harness.url}/`);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const text = await page.text();
    const parts = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(parts.length).toBeGreaterThanOrEqual(3);
    for (const part of parts) expect((await fetch(`${harness.url}${part}`)).status).toBe(200);
    expect(text).not.toMatch(/https?:\/\//);
  });

  test('the week holds the calendars of both providers with their living events', async () => {
    await add('google', 'ada@example.com', 'hers');
    await add('microsoft', 'bob@example.com', 'his');
    const { calendars } = await week();
    expect(calendars.map(({ events }) => events.map(({ title }) => title))).toEqual([['hers'], ['his']]);
    const { from, to } = { from: '2026-12-01T00:00:00Z', to: '2027-12-01T00:00:00Z' };
    expect((await fetch(`${harness.url}/page/week?from=${from}&to=${to}`)).status).toBe(400);
  });

  test('whoever listens hears of every change at once', async () => {
    const leave = new AbortController();
    const response = await fetch(`${harness.url}/page/live`, { signal: leave.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    await add('microsoft', 'bob@example.com', 'now');
    let heard = '';
    while (!heard.includes('event: change')) heard += (await reader?.read())?.value ?? '';
    expect(heard).toContain(`data: ${harness.sandbox.state.history.sequence}`);
    leave.abort();
  });
});
