import { describe, expect, test } from '@jest/globals';
import { createLimiter } from './limiter.ts';
import type { Timers } from './timers.ts';

/** Time that a test moves; what is due runs when it is moved past. */
function createTestTimers(): Timers & { pass(ms: number): Promise<void> } {
  let nowMs = 0;
  let tasks: { at: number; task: () => void }[] = [];
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  return {
    now: () => nowMs,
    schedule(ms, task) {
      const entry = { at: nowMs + ms, task };
      tasks.push(entry);
      return () => {
        tasks = tasks.filter((other) => other !== entry);
      };
    },
    async pass(ms) {
      const end = nowMs + ms;
      await settle();
      for (;;) {
        const next = tasks.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        nowMs = Math.max(nowMs, next.at);
        tasks = tasks.filter((other) => other !== next);
        next.task();
        await settle();
      }
      nowMs = end;
      await settle();
    },
  };
}

const PER_SECOND = 10;

/** Several processes and one bucket that holds a second's share. */
function createFleet(processes: number) {
  const timers = createTestTimers();
  let tokens = PER_SECOND;
  let filledAt = 0;
  let isAway = false;
  let isMute = false;
  let asks = 0;
  const take = async (wanted: number) => {
    asks += 1;
    if (isMute) return new Promise<never>(() => undefined);
    if (isAway) throw new Error('the database is away');
    tokens = Math.min(PER_SECOND, tokens + ((timers.now() - filledAt) * PER_SECOND) / 1_000);
    filledAt = timers.now();
    const granted = Math.min(wanted, Math.floor(tokens + 1e-6));
    tokens -= granted;
    return granted;
  };
  const limiters = Array.from({ length: processes }, () =>
    createLimiter({
      requestsPerMinute: 1,
      sharedBudget: { perSecond: PER_SECOND, take },
      waitAtMostMs: 60_000,
      timers,
    }),
  );
  let admitted = 0;
  const call = (process: number, connectionId: string) => {
    const turn = { connectionId, lane: 'background' as const, signal: new AbortController().signal };
    void limiters[process]?.enter(turn).then((admission) => {
      if (!admission.isAdmitted) return;
      admitted += 1;
      admission.release(false);
    });
  };
  return {
    timers,
    call,
    get admitted() {
      return admitted;
    },
    get asks() {
      return asks;
    },
    set isAway(is: boolean) {
      isAway = is;
    },
    set isMute(is: boolean) {
      isMute = is;
    },
  };
}

describe('[R-1] processes that share a budget', () => {
  test('send no more together than it allows, and all that it allows', async () => {
    const fleet = createFleet(4);
    for (let call = 0; call < 120; call += 1) fleet.call(call % 4, `c${call}`);
    await fleet.timers.pass(0);
    expect(fleet.admitted).toBeLessThanOrEqual(PER_SECOND);
    await fleet.timers.pass(5_000);
    expect(fleet.admitted).toBeLessThanOrEqual(6 * PER_SECOND);
    expect(fleet.admitted).toBeGreaterThanOrEqual(5 * PER_SECOND);
    await fleet.timers.pass(8_000);
    expect(fleet.admitted).toBe(120);
  });

  test('go on when the database that keeps it is back, and ask it seldom while it is away', async () => {
    const fleet = createFleet(1);
    fleet.isAway = true;
    for (let call = 0; call < 5; call += 1) fleet.call(0, `c${call}`);
    await fleet.timers.pass(10_000);
    expect(fleet.admitted).toBe(0);
    expect(fleet.asks).toBeLessThanOrEqual(21);
    fleet.isAway = false;
    await fleet.timers.pass(2_000);
    expect(fleet.admitted).toBe(5);
  });

  test('[R-2] go on although one of their questions is never answered', async () => {
    const fleet = createFleet(1);
    fleet.isMute = true;
    for (let call = 0; call < 5; call += 1) fleet.call(0, `c${call}`);
    await fleet.timers.pass(1_000);
    fleet.isMute = false;
    await fleet.timers.pass(900);
    expect(fleet.admitted).toBe(0);
    await fleet.timers.pass(1_000);
    expect(fleet.admitted).toBe(5);
  });
});
