import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { freshWindow, planRound } from './plan-round.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const origin = Date.UTC(2026, 10, 24);
const settings = fc.record({ pastDays: fc.nat(60), futureDays: fc.integer({ min: 1, max: 400 }) });
const limited = fc.record({
  pastDays: fc.nat(10_000),
  futureDays: fc.integer({ min: 1, max: 1_000 }),
  daysAtMost: fc.constant(1_825),
});
const instant = fc.integer({ min: 0, max: 400 * DAY_MS }).map((ms) => new Date(origin + ms));
const near = fc.option(
  fc.integer({ min: -70 * 24, max: 420 * 24 }).map((hours) => new Date(origin + hours * HOUR_MS)),
  {
    freq: 8,
  },
);
const held = fc.record({ cursor: fc.option(fc.constant('c'), { freq: 6 }), windowStart: near, windowEnd: near });

describe('[I-1] a round', () => {
  test('always reads the whole promise, goes on only from a cursor, and never changes the window of that cursor', () => {
    fc.assert(
      fc.property(held, settings, instant, (holding, promise, now) => {
        const round = planRound(holding, promise, now);
        expect(round.window.startAt.getTime()).toBeLessThanOrEqual(now.getTime() - promise.pastDays * DAY_MS);
        expect(round.window.endAt.getTime()).toBeGreaterThanOrEqual(now.getTime() + promise.futureDays * DAY_MS);
        if (round.mode === 'full') expect(round.cursor).toBeNull();
        else {
          const { cursor, window } = round;
          expect({ cursor, windowStart: window.startAt, windowEnd: window.endAt }).toEqual(holding);
        }
      }),
      { numRuns: 6_000 },
    );
  });

  test('after a full round goes on from its cursor for a day at least and a week at most, whatever the settings', () => {
    const later = fc.integer({ min: 0, max: 10 * DAY_MS });
    fc.assert(
      fc.property(fc.oneof(settings, limited), instant, later, (promise, readAt, ms) => {
        const { startAt, endAt } = freshWindow(promise, readAt);
        if ('daysAtMost' in promise) expect(endAt.getTime() - startAt.getTime()).toBeLessThanOrEqual(1_825 * DAY_MS);
        const holding = { cursor: 'c', windowStart: startAt, windowEnd: endAt };
        const { mode } = planRound(holding, promise, new Date(readAt.getTime() + ms));
        if (ms <= DAY_MS - 1_000) expect(mode).toBe('incremental');
        if (ms > 7 * DAY_MS) expect(mode).toBe('full');
      }),
      { numRuns: 4_000 },
    );
  });

  test('goes on whenever the held window covers the promise, so that no cursor is thrown away in vain', () => {
    fc.assert(
      fc.property(settings, instant, fc.nat(5), fc.nat(5), (promise, now, before, after) => {
        const windowStart = new Date(now.getTime() - (promise.pastDays + before) * DAY_MS);
        const windowEnd = new Date(now.getTime() + (promise.futureDays + after) * DAY_MS);
        expect(planRound({ cursor: 'c', windowStart, windowEnd }, promise, now).mode).toBe('incremental');
      }),
      { numRuns: 2_000 },
    );
  });
});
