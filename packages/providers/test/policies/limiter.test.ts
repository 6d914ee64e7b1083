import { beforeEach, describe, expect, test } from '@jest/globals';
import { createLimiter, type Lane, type Limiter, withLimiter } from '../../src/policies/index.ts';
import { call, failure, outcomeOf } from './calls.ts';
import { type HandTimers, handTimers } from './hand-timers.ts';

const CALL_MS = 100;

let timers: HandTimers;
beforeEach(() => {
  timers = handTimers();
});

const limiterWith = (settings: Partial<Parameters<typeof createLimiter>[0]> = {}) =>
  createLimiter({ requestsPerMinute: 6_000, timers, ...settings });

/** A call that takes its time; the list tells who has begun, and when. */
function startCall(limiter: Limiter, connectionId: string, begun: { who: string; at: number }[], lane?: Lane) {
  const policy = withLimiter(limiter, { connectionId, ...(lane === undefined ? {} : { lane }) });
  return outcomeOf(
    policy(call, async () => {
      begun.push({ who: connectionId, at: timers.now() });
      await new Promise<void>((resolve) => timers.schedule(CALL_MS, resolve));
      return 'done';
    }),
  );
}

describe('the shared budget of calls', () => {
  test('[R-1] lets an interactive call go out within a second while a backfill of 200 calendars waits', async () => {
    const limiter = limiterWith({ requestsPerMinute: 600, waitAtMostMs: 600_000 });
    const begun: { who: string; at: number }[] = [];
    for (let calendar = 0; calendar < 200; calendar += 1) void startCall(limiter, `backfill-${calendar}`, begun);
    await timers.pass(1_000);
    const askedAt = timers.now();
    void startCall(limiter, 'somebody waits', begun, 'interactive');
    await timers.pass(1_000);
    const served = begun.find(({ who }) => who === 'somebody waits');
    expect((served?.at ?? Number.POSITIVE_INFINITY) - askedAt).toBeLessThan(1_000);
    expect(begun.length).toBeLessThan(50);
  });

  test('[R-1] gives connections turns, so that a large calendar delays nobody by more than a call of its own', async () => {
    const limiter = limiterWith({ requestsPerMinute: 600, burst: 1 });
    const begun: { who: string; at: number }[] = [];
    for (let page = 0; page < 20; page += 1) void startCall(limiter, 'large', begun);
    for (let page = 0; page < 2; page += 1) void startCall(limiter, 'small', begun);
    await timers.pass(1_000);
    expect(begun.slice(0, 5).map(({ who }) => who)).toEqual(['large', 'small', 'large', 'small', 'large']);
  });

  test('[R-1] is never overdrawn', async () => {
    const limiter = limiterWith({ requestsPerMinute: 600, burst: 5, waitAtMostMs: 600_000 });
    const begun: { who: string; at: number }[] = [];
    for (let one = 0; one < 100; one += 1) void startCall(limiter, `c-${one}`, begun);
    await timers.pass(3_000);
    expect(begun.length).toBeLessThanOrEqual(35);
    expect(begun.length).toBeGreaterThan(30);
  });

  test('[R-1] takes one call of a connection at a time', async () => {
    const limiter = limiterWith();
    const begun: { who: string; at: number }[] = [];
    for (let one = 0; one < 4; one += 1) void startCall(limiter, 'c-1', begun);
    await timers.pass(10 * CALL_MS);
    expect(begun.map(({ at }) => at)).toEqual([0, 100, 200, 300]);
  });

  test('[R-1] sends a connection away for as long as its provider said, and no other one', async () => {
    const limiter = limiterWith();
    const refuse = withLimiter(limiter, { connectionId: 'throttled' });
    const answer = refuse(call, () =>
      Promise.reject(failure({ kind: 'rate_limited', status: 429, retryAfterMs: 120_000 })),
    );
    await outcomeOf(answer);
    const begun: { who: string; at: number }[] = [];
    await timers.pass(119_000);
    const early = startCall(limiter, 'throttled', begun);
    void startCall(limiter, 'other', begun);
    expect(await early).toBe('rate_limited/connection_paused');
    await timers.pass(2_000);
    expect(begun.map(({ who }) => who)).toEqual(['other']);
    void startCall(limiter, 'throttled', begun);
    await timers.pass(CALL_MS);
    expect(begun.map(({ who }) => who)).toEqual(['other', 'throttled']);
  });

  test('[R-1] does not take a request that found no slot of its mailbox for a word of its provider', async () => {
    const limiter = limiterWith({ requestsPerMinute: 60, burst: 1 });
    const turn = withLimiter(limiter, { connectionId: 'busy' });
    const noSlot = failure({ kind: 'rate_limited', reason: 'mailbox_busy', status: null, retryAfterMs: 120_000 });
    expect(await outcomeOf(turn(call, () => Promise.reject(noSlot)))).toBe('rate_limited/mailbox_busy');
    // Not sent away, and the only request of this minute is still there: nobody was asked.
    expect(await outcomeOf(turn(call, async () => 'done'))).toBe('done');
  });

  test('[R-1] lets nobody wait for ever, and says when to come back', async () => {
    const limiter = limiterWith({ requestsPerMinute: 60, burst: 1, waitAtMostMs: 5_000 });
    const begun: { who: string; at: number }[] = [];
    const outcomes = Array.from({ length: 20 }, (_, one) => startCall(limiter, `c-${one}`, begun));
    await timers.pass(20_000);
    const settled = await Promise.all(outcomes);
    expect(settled.filter((outcome) => outcome === 'rate_limited/limiter_full').length).toBeGreaterThan(10);
    expect(limiter.waitingCount).toBe(0);
  });

  test('[R-1] sends away what one connection wants beyond its places, each to another time', async () => {
    const limiter = limiterWith({ waitingPerConnection: 2, connectionRequestsPerMinute: 600, callsPerConnection: 1 });
    const begun: { who: string; at: number }[] = [];
    const turns = Array.from({ length: 8 }, () =>
      limiter.enter({ connectionId: 'busy', lane: 'background', signal: call.signal }),
    );
    const other = startCall(limiter, 'other', begun);
    await timers.pass(CALL_MS);
    expect(await other).toBe('done');
    const sentAway = await Promise.all(turns.slice(3));
    expect(sentAway.map((turn) => (turn.isAdmitted ? 0 : turn.retryAfterMs))).toEqual([
      1_000, 1_100, 1_200, 1_300, 1_400,
    ]);
    expect(limiter.waitingCount).toBe(2);
  });

  test('[R-1] forgets who gave up', async () => {
    const limiter = limiterWith({ requestsPerMinute: 60, burst: 1 });
    void startCall(limiter, 'c-1', []);
    const leaving = new AbortController();
    const policy = withLimiter(limiter, { connectionId: 'c-2' });
    const left = outcomeOf(policy({ ...call, signal: leaving.signal }, async () => 'done'));
    leaving.abort();
    expect(await left).toBe('transient/aborted');
    expect(limiter.waitingCount).toBe(0);
  });
});
