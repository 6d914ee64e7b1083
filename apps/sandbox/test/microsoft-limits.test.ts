import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Client } from '@microsoft/microsoft-graph-client';
import { failureOf, type Harness, startSandbox } from './harness.ts';
import { DELTA, grantMicrosoft, graphClient, graphRefusalOf, readAll, timedEvent } from './microsoft-client.ts';

let harness: Harness;
let client: Client;
const email = 'bob@example.com';
const EVENTS = `/calendars/microsoft/${email}/events`;

beforeAll(async () => {
  harness = await startSandbox();
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.admin('POST', '/reset');
  client = graphClient(harness, await grantMicrosoft(harness, email));
});

const order = (fault: object) => harness.admin<{ id: number }>('POST', '/faults', { provider: 'microsoft', ...fault });
const calendar = () => client.api('/me/calendar').get();
const create = () =>
  client.api('/me/events').post(timedEvent('x', '2026-12-01T09:00:00', '2026-12-01T10:00:00', { transactionId: 't' }));
const headerOf = (failure: unknown, name: string) => (failure as { headers?: Headers }).headers?.get(name) ?? null;

describe('microsoft: limits', () => {
  test('[R-1] microsoft: a mailbox takes four requests at once, the fifth is throttled, another mailbox is not', async () => {
    await order({ operation: 'calendars.get', latency_ms: 600 });
    const other = graphClient(harness, await grantMicrosoft(harness, 'eve@example.com'));
    const five = Array.from({ length: 5 }, calendar);
    const elsewhere = other.api('/me/calendar').get();
    const outcomes = await Promise.allSettled([...five, elsewhere]);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(outcomes.at(-1)?.status).toBe('fulfilled');
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(refused?.reason).toMatchObject({ statusCode: 429, code: 'ApplicationThrottled' });
    expect(refused?.reason.message).toContain('MailboxConcurrency');
    await expect(calendar()).resolves.toBeDefined();
  });

  test('[R-1] microsoft: beyond the requests of ten minutes there is 429 with Retry-After, until they have passed', async () => {
    await harness.admin('PUT', '/settings', { microsoft: { mailbox_requests_per_10_minutes: 3 } });
    for (let count = 0; count < 3; count += 1) await calendar();
    const failure = await failureOf(calendar());
    expect(failure).toMatchObject({ statusCode: 429, code: 'ApplicationThrottled' });
    expect(headerOf(failure, 'retry-after')).toBe('10');
    await harness.admin('PUT', '/clock', { advance_ms: 601_000 });
    await expect(calendar()).resolves.toBeDefined();
  });
});

describe('microsoft: faults on order', () => {
  test('[R-1] microsoft: a status strikes in Graph’s own shape, as often as was ordered', async () => {
    await order({ operation: 'events.*', status: 503, retry_after: 7, times: 1 });
    const failure = await failureOf(create());
    expect(failure).toMatchObject({ statusCode: 503, code: 'serviceNotAvailable' });
    expect(headerOf(failure, 'retry-after')).toBe('7');
    expect((await create()).subject).toBe('x');
  });

  test('[O-3] microsoft: a lost answer leaves the event behind, and the repeated request finds it', async () => {
    await order({ operation: 'events.insert', lost_answer: true, times: 1 });
    await failureOf(create());
    const again = await create();
    const { items } = await readAll(client, '/me/events');
    expect(items.map(({ id }) => id)).toEqual([again.id]);
  });

  test('microsoft: a page of the feed can be struck alone, and one can lose its items', async () => {
    await harness.admin('POST', `${EVENTS}/fill`, { count: 15, from: '2026-12-01T09:00:00Z' });
    await order({ operation: 'events.delta', page: 2, status: 504, times: 1 });
    expect(await graphRefusalOf(readAll(client, DELTA))).toMatchObject({ status: 504 });
    await order({ operation: 'events.delta', page: 1, keep_share: 0, times: 1 });
    expect((await readAll(client, DELTA)).pages[0]).toEqual([]);
  });

  test('microsoft: a proxy’s page, a broken connection and an outage of the sign-in come as ordered', async () => {
    await order({ operation: 'calendars.get', status: 502, body: '<html>bad gateway</html>', times: 1 });
    expect((await graphRefusalOf(calendar())).status).toBe(502);
    await order({ operation: 'calendars.get', reset: true, times: 1 });
    expect(await graphRefusalOf(calendar())).toMatchObject({ status: -1 });
    await order({ operation: 'oauth.token', status: 503, reason: 'temporarily_unavailable', times: 1 });
    const answer = await fetch(`${harness.url}/common/oauth2/v2.0/token`, { method: 'POST', body: '' });
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([
      503,
      'temporarily_unavailable',
    ]);
  });

  test('microsoft: every committed write is in the history, with its author', async () => {
    await create();
    await harness.admin('POST', EVENTS, { start: '2026-12-02T09:00:00Z' });
    const { entries } = await harness.admin<{ entries: { author: string; transaction_id: string | null }[] }>(
      'GET',
      '/history?calendar_provider=microsoft',
    );
    expect(entries.map(({ author, transaction_id: id }) => [author, id])).toEqual([
      ['client', 't'],
      ['owner', null],
    ]);
  });
});
