/** How calls travel: address, token, signal, and what an error may carry. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ProviderError } from '../../src/contract/index.ts';
import { buildDraft, signal, testTokens } from '../adapter-arguments.ts';
import { type LocalServer, startLocalServer } from '../local-server.ts';
import { EVENTS, googleItem, openTestCalendar, refusal } from './session.ts';

const EVENT = `GET ${EVENTS}/e1`;
let server: LocalServer;
beforeEach(async () => {
  server = await startLocalServer();
});
afterEach(() => server.close());

async function failureOf(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ProviderError)) throw new Error('no failure of the provider’s', { cause: error });
  return error;
}

describe('the address', () => {
  test.each([
    ['as it is', ''],
    ['with a slash at its end', '/'],
    ['with a path of its own', '/fake/google/'],
  ])('is kept %s', async (_, suffix) => {
    const prefix = suffix.replace(/\/$/, '');
    server.on(`GET ${prefix}${EVENTS}/e1`, { body: googleItem('e1') });
    const read = await openTestCalendar(server.baseUrl + suffix).getEvent('e1', signal);
    expect(read).toMatchObject({ state: 'live', event: { eventId: 'e1' } });
  });

  test('holds any calendar’s id, whatever stands in it', async () => {
    const calendarId = 'a/b?c#d@group.calendar.google.com';
    server.on(`GET /calendar/v3/calendars/${calendarId}/events/e1`, { body: googleItem('e1') });
    await openTestCalendar(server.baseUrl, { calendarId }).getEvent('e1', signal);
    expect(server.requests).toHaveLength(1);
  });

  test('an id that would lead elsewhere is refused before anything is sent', async () => {
    const failure = await failureOf(openTestCalendar(server.baseUrl).getEvent('..', signal));
    expect(failure).toMatchObject({ kind: 'permanent', reason: 'refused_by_client' });
    expect(server.requests).toHaveLength(0);
  });

  test('is not left for a redirect, which would carry the token away', async () => {
    const elsewhere = await startLocalServer();
    server.on(EVENT, { status: 302, headers: { location: elsewhere.baseUrl } });
    const failure = await failureOf(openTestCalendar(server.baseUrl).getEvent('e1', signal));
    expect(failure).toMatchObject({ kind: 'transient', reason: 'unknown_302' });
    expect(elsewhere.requests).toHaveLength(0);
    await elsewhere.close();
  });
});

describe('the token', () => {
  test('travels with the call', async () => {
    server.on(EVENT, { body: googleItem('e1') });
    await openTestCalendar(server.baseUrl, { tokens: testTokens('abc') }).getEvent('e1', signal);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer abc');
  });

  test('[R-3] is reported when Google refuses it', async () => {
    const tokens = testTokens('abc');
    server.on(EVENT, refusal(401, 'authError'));
    const failure = await failureOf(openTestCalendar(server.baseUrl, { tokens }).getEvent('e1', signal));
    expect(failure).toMatchObject({ kind: 'auth_revoked', reason: 'authError', status: 401 });
    expect(tokens.rejections).toEqual(['abc']);
  });

  test('is not reported for any other refusal', async () => {
    const tokens = testTokens('abc');
    server.on(EVENT, refusal(403, 'insufficientPermissions'));
    await failureOf(openTestCalendar(server.baseUrl, { tokens }).getEvent('e1', signal));
    expect(tokens.rejections).toEqual([]);
  });

  test('[R-3] a source that has none speaks for itself', async () => {
    const dead = new Error('the store is down');
    const tokens = { accessToken: () => Promise.reject(dead), rejected: () => undefined };
    await expect(openTestCalendar(server.baseUrl, { tokens }).getEvent('e1', signal)).rejects.toBe(dead);
    expect(server.requests).toHaveLength(0);
  });
});

describe('the signal', () => {
  test.each([
    ['timeout', new DOMException('late', 'TimeoutError')],
    ['aborted', undefined],
  ])('[R-1] ends the request on the wire: %s', async (reason, cause) => {
    const controller = new AbortController();
    const gone = new Promise<void>((resolve) => {
      server.on(`POST ${EVENTS}`, (request) => {
        request.onClose(resolve);
        controller.abort(cause);
        return new Promise(() => undefined);
      });
    });
    const failure = await failureOf(openTestCalendar(server.baseUrl).createEvent(buildDraft(), controller.signal));
    expect(failure).toMatchObject({ kind: 'transient', reason, status: null, outcomeUnknown: true });
    await gone;
  });

  test('sends nothing when it has aborted already', async () => {
    const failure = await failureOf(openTestCalendar(server.baseUrl).createEvent(buildDraft(), AbortSignal.abort()));
    expect(failure).toMatchObject({ reason: 'aborted', outcomeUnknown: false });
    expect(server.requests).toHaveLength(0);
  });
});

describe('an error', () => {
  test('[B-3] holds neither token nor content, however deep one looks', async () => {
    server.on(`POST ${EVENTS}`, refusal(400, 'invalid'));
    const tokens = testTokens('very-secret');
    const failure = await failureOf(openTestCalendar(server.baseUrl, { tokens }).createEvent(buildDraft(), signal));
    const everything = JSON.stringify([failure, failure.message, failure.stack, failure.cause]);
    expect(failure.reason).toBe('invalid');
    expect(everything).not.toMatch(/very-secret|Haircut|Main street|private words/);
  });

  test('[R-1] carries waiting time and request id', async () => {
    const headers = { 'retry-after': '17', 'x-goog-request-id': 'req-9' };
    server.on(EVENT, { ...refusal(429, 'rateLimitExceeded'), headers });
    const failure = await failureOf(openTestCalendar(server.baseUrl).getEvent('e1', signal));
    expect(failure).toMatchObject({ kind: 'rate_limited', retryAfterMs: 17_000, requestId: 'req-9' });
  });

  test('says that nobody listens', async () => {
    const { baseUrl } = server;
    await server.close();
    const failure = await failureOf(openTestCalendar(baseUrl).createEvent(buildDraft(), signal));
    expect(failure).toMatchObject({ kind: 'transient', reason: 'connection_refused', outcomeUnknown: false });
    server = await startLocalServer();
  });
});

test('connections are kept for later calls', async () => {
  server.on(EVENT, { body: googleItem('e1') });
  const calendar = openTestCalendar(server.baseUrl);
  for (let call = 0; call < 10; call += 1) await calendar.getEvent('e1', signal);
  const connections = new Set(server.requests.map(({ connection }) => connection));
  // One more than needed: the next call may be out before the last one's connection is free again.
  expect(connections.size).toBeLessThanOrEqual(2);
});
