/** One call may take many requests: each of them is limited, timed and counted by itself. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AroundRequest, Operation } from '../src/contract/index.ts';
import { composeRequest, withTimeout } from '../src/policies/index.ts';
import { signal, WINDOW } from './adapter-arguments.ts';
import { openTestCalendar as openGoogle, refusal } from './google/session.ts';
import { type LocalServer, startLocalServer } from './local-server.ts';
import { graphItem, openTestCalendar as openMicrosoft, times } from './microsoft/session.ts';
import { type HandTimers, handTimers } from './policies/hand-timers.ts';

const DELTA = '/v1.0/me/calendarView/delta';

/** What Graph takes for one request, and what one may take, in time that passes when it answers. */
const [ANSWER_MS, REQUEST_AT_MOST_MS] = [60, 900];

let timers: HandTimers;
let server: LocalServer;
let asked: Operation[];
beforeEach(async () => {
  timers = handTimers();
  server = await startLocalServer();
  asked = [];
});
afterEach(() => server.close());

const counting: AroundRequest = (operation, outer, send) => {
  asked.push(operation);
  return send(outer);
};

/** A page that shows an exception of each series and nothing more, so that every series has to be read. */
function pageOfExceptions(count: number) {
  const value = Array.from({ length: count }, (_, index) =>
    graphItem(`x${index}`, {
      type: 'exception',
      seriesMasterId: `m${index}`,
      ...times('2026-11-24T09:00:00', '2026-11-24T10:00:00'),
    }),
  );
  for (let index = 0; index < count; index += 1) {
    server.on(`GET /v1.0/me/events/m${index}/instances`, async () => {
      await timers.pass(ANSWER_MS);
      return { body: { value: [value[index]] } };
    });
  }
  server.on(`GET ${DELTA}`, { body: { value, '@odata.deltaLink': `${server.baseUrl}${DELTA}?$deltatoken=d1` } });
}

const cursor = () => `${server.baseUrl}${DELTA}?$deltatoken=d0`;

describe('one page of Graph’s feed with many series to be read', () => {
  test('[R-1] counts every request under its operation', async () => {
    pageOfExceptions(3);
    const calendar = openMicrosoft(server.baseUrl, { aroundRequest: counting });
    await calendar.listChanges({ cursor: cursor(), page: null, window: WINDOW }, signal);
    expect(asked).toEqual(['list_changes', 'get_event', 'get_event', 'get_event']);
    expect(server.requests).toHaveLength(4);
  });

  test('[I-5] takes longer than one request may, and does not fail for that', async () => {
    const startedAt = timers.now();
    pageOfExceptions(20);
    const aroundRequest = composeRequest('microsoft', withTimeout(REQUEST_AT_MOST_MS, timers));
    const calendar = openMicrosoft(server.baseUrl, { aroundRequest });
    const page = await calendar.listChanges({ cursor: cursor(), page: null, window: WINDOW }, signal);
    expect(page.changes.filter(({ kind }) => kind === 'event')).toHaveLength(20);
    expect(timers.now() - startedAt).toBeGreaterThan(REQUEST_AT_MOST_MS);
  });
});

test('[R-1] a look at a lost event of Google’s counts its second request as well', async () => {
  const events = '/calendar/v3/calendars/primary/events';
  server.on(`GET ${events}/gone`, refusal(404, 'notFound'));
  server.on(`GET ${events}`, { body: { timeZone: 'UTC' } });
  const calendar = openGoogle(server.baseUrl, { aroundRequest: counting });
  expect(await calendar.getEvent('gone', signal)).toEqual({ state: 'gone' });
  expect(asked).toEqual(['get_event', 'get_event']);
});

test.each([
  ['Google', openGoogle],
  ['Microsoft', openMicrosoft],
])('[A-1] at %s a token is had before a request takes its turn', async (_name, open) => {
  const tokens = { accessToken: () => Promise.reject(new Error('no token')), rejected: () => undefined };
  const calendar = open(server.baseUrl, { tokens, aroundRequest: counting });
  await expect(calendar.getEvent('e1', signal)).rejects.toThrow('no token');
  expect([asked, server.requests]).toEqual([[], []]);
});
