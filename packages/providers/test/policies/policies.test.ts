import { describe, expect, test } from '@jest/globals';
import type { CalendarPort } from '../../src/contract/index.ts';
import {
  type CallReport,
  composePort,
  composeRequest,
  createBreaker,
  type SlotDesk,
  withBreaker,
  withMetrics,
  withSlots,
  withTimeout,
  withTokenRetry,
} from '../../src/policies/index.ts';
import { call, failure, outcomeOf } from './calls.ts';
import { handTimers } from './hand-timers.ts';

describe('a refused access token', () => {
  test.each([
    ['is answered with one repeat', [failure({ kind: 'auth_revoked', status: 401 })], 'done', 2],
    [
      'that is refused again is the truth',
      [failure({ kind: 'auth_revoked', status: 401 }), failure({ kind: 'auth_revoked', status: 401 })],
      'auth_revoked/backendError',
      2,
    ],
    [
      'of a refresh is not repeated',
      [failure({ kind: 'auth_revoked', status: 401, operation: 'refresh_token' })],
      'auth_revoked/backendError',
      1,
    ],
    [
      'that misses a scope is not repeated',
      [failure({ kind: 'auth_revoked', status: 403 })],
      'auth_revoked/backendError',
      1,
    ],
    ['no other failure is repeated here', [failure()], 'transient/backendError', 1],
  ])('[A-1] %s', async (_name, failures, outcome, calls) => {
    let asked = 0;
    const answer = withTokenRetry()(call, async () => {
      const next = failures[asked];
      asked += 1;
      if (next !== undefined) throw next;
      return 'done';
    });
    expect([await outcomeOf(answer), asked]).toEqual([outcome, calls]);
  });
});

describe('a time limit', () => {
  test('[R-1] ends the request and calls itself by its name', async () => {
    const timers = handTimers();
    const answer = withTimeout(8_000, timers)(
      call,
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    const ended = outcomeOf(answer) as Promise<Error>;
    await timers.pass(8_000);
    expect((await ended).name).toBe('TimeoutError');
  });

  test('[R-1] is each request’s own, however many one call makes', async () => {
    const timers = handTimers();
    const around = composeRequest('microsoft', withTimeout(1_000, timers));
    const request = (): Promise<string> =>
      around('get_event', call.signal, async (signal) => {
        await new Promise<void>((resolve) => timers.schedule(900, resolve));
        return signal.aborted ? 'late' : 'in time';
      });
    const both = request().then(async (first) => [first, await request()]);
    await timers.pass(2_000);
    expect(await both).toEqual(['in time', 'in time']);
  });
});

describe('the breaker of a calendar provider', () => {
  const openBreaker = () => createBreaker({ calendarProvider: 'google', callsAtLeast: 4, resetMs: 60_000 });
  const fail = async (breaker: ReturnType<typeof openBreaker>, error: Error, times: number) => {
    for (let time = 0; time < times; time += 1) await outcomeOf(breaker.run(call, () => Promise.reject(error)));
  };

  test('[R-1] opens when calls fail, and then nothing is sent, nothing is spent and the wait is named', async () => {
    const breaker = openBreaker();
    await fail(breaker, failure(), 5);
    let isSent = false;
    const answer = withBreaker(breaker)(call, async () => {
      isSent = true;
    });
    expect(await outcomeOf(answer)).toBe('transient/breaker_open');
    expect([breaker.state, isSent]).toEqual(['open', false]);
    breaker.stop();
  });

  test.each([
    ['limits', failure({ kind: 'rate_limited' })],
    ['dead grants', failure({ kind: 'auth_revoked' })],
    ['events that are gone', failure({ kind: 'not_found' })],
    ['refused writes', failure({ kind: 'conflict' })],
    ['lost cursors', failure({ kind: 'cursor_expired' })],
    ['our own mistakes', failure({ kind: 'permanent' })],
    ['callers that gave up', failure({ reason: 'aborted' })],
    ['tokens that no key opens', failure({ reason: 'token_unreadable' })],
    ['a client secret of ours that is wrong', failure({ reason: 'invalid_client' })],
    ['a database that is away', new Error('ECONNREFUSED')],
  ])('[R-1] stays closed over %s', async (_name, error) => {
    const breaker = openBreaker();
    await fail(breaker, error, 20);
    expect(breaker.state).toBe('closed');
    breaker.stop();
  });
});

describe('the count of requests', () => {
  test('[B-1] names operation and outcome, and an unknown answer by its own name', async () => {
    const reports: CallReport[] = [];
    const policy = withMetrics((report) => reports.push(report), handTimers());
    await outcomeOf(policy(call, async () => 'done'));
    await outcomeOf(policy(call, () => Promise.reject(failure({ reason: 'unknown_418', status: 418 }))));
    await outcomeOf(policy(call, () => Promise.reject(new Error('a bug'))));
    expect(reports.map(({ outcome, reason, isUnknown }) => [outcome, reason, isUnknown])).toEqual([
      ['ok', null, false],
      ['transient', 'unknown_418', true],
      ['internal', null, false],
    ]);
  });

  test('[B-1] holds for each method of a port', async () => {
    const reports: CallReport[] = [];
    const port = { calendarProvider: 'google', closeChannel: async () => undefined } as unknown as CalendarPort;
    const counted = composePort(
      port,
      withMetrics((report) => reports.push(report)),
    );
    await counted.closeChannel({ channelId: 'c', resourceId: null, subscriptionId: null }, call.signal);
    expect(reports.map(({ operation }) => operation)).toEqual(['close_channel']);
  });
});

describe('the slots of a mailbox', () => {
  const deskOf = (free: { count: number }): SlotDesk => ({
    async take() {
      if (free.count === 0) return null;
      free.count -= 1;
      return async () => {
        free.count += 1;
      };
    },
  });

  test('[R-1] are given back whatever became of the request', async () => {
    const free = { count: 1 };
    const policy = withSlots(deskOf(free), { connectionId: 'c-1', timers: handTimers() });
    expect(await outcomeOf(policy(call, async () => free.count))).toBe(0);
    await outcomeOf(policy(call, () => Promise.reject(failure())));
    expect(free.count).toBe(1);
  });

  test('[R-1] send those away who waited in vain, without a word against the provider', async () => {
    const timers = handTimers();
    const policy = withSlots(deskOf({ count: 0 }), { connectionId: 'c-1', timers, waitAtMostMs: 1_000 });
    const answer = outcomeOf(policy(call, async () => 'done'));
    await timers.pass(1_100);
    expect(await answer).toBe('rate_limited/mailbox_busy');
  });

  test('[R-1] are waited for no longer by a caller that gave up', async () => {
    const leaving = new AbortController();
    const policy = withSlots(deskOf({ count: 0 }), { connectionId: 'c-1', timers: handTimers() });
    const answer = outcomeOf(policy({ ...call, signal: leaving.signal }, async () => 'done'));
    await Promise.resolve();
    leaving.abort();
    expect(await answer).toBe('transient/aborted');
  });
});
