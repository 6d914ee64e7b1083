import { describe, expect, test } from '@jest/globals';
import { freshWindow, planRound } from './plan-round.ts';

const settings = { pastDays: 1, futureDays: 90 };
const now = new Date('2026-11-21T12:00:00.500Z');
const day = 86_400_000;

function heldSince(days: number) {
  const { startAt, endAt } = freshWindow(settings, new Date(now.getTime() - days * day));
  return { cursor: 'c', windowStart: startAt, windowEnd: endAt };
}

describe('planRound', () => {
  test('[I-1] goes on from the cursor while the window still reaches as far as promised', () => {
    expect(planRound(heldSince(0), settings, now)).toMatchObject({ mode: 'incremental', cursor: 'c' });
    expect(planRound(heldSince(2.9), settings, now)).toMatchObject({ mode: 'incremental' });
  });

  test('[I-1] starts afresh before the window ends sooner than promised, since a cursor freezes its window', () => {
    const round = planRound(heldSince(3.001), settings, now);
    expect(round).toMatchObject({ mode: 'full', cursor: null });
    expect(round.window.endAt.getTime()).toBeGreaterThanOrEqual(now.getTime() + settings.futureDays * day);
  });

  test('[I-1] starts afresh when the window would fall short of the promise before the next look', () => {
    const hourly = { ...settings, untilNextLookSeconds: 3_600 };
    expect(planRound(heldSince(3 - 2 / 24), hourly, now).mode).toBe('incremental');
    expect(planRound(heldSince(3 - 0.5 / 24), hourly, now).mode).toBe('full');
  });

  test('goes on for half a day at least, however rare the looks are', () => {
    const rare = { pastDays: 0, futureDays: 1, untilNextLookSeconds: 400_000 };
    const { startAt, endAt } = freshWindow(rare, now);
    const held = { cursor: 'c', windowStart: startAt, windowEnd: endAt };
    expect(planRound(held, rare, new Date(now.getTime() + day / 2 - 1_000)).mode).toBe('incremental');
    expect(planRound(held, rare, new Date(now.getTime() + day / 2 + 1_000)).mode).toBe('full');
  });

  test('starts afresh without a cursor', () => {
    expect(planRound({ ...heldSince(0), cursor: null }, settings, now).mode).toBe('full');
  });

  test('starts afresh when the promise was widened into the past', () => {
    expect(planRound(heldSince(0), { ...settings, pastDays: 30 }, now).mode).toBe('full');
  });

  test('[I-1] reads no more than the calendar provider does, at the cost of the past, and not afresh each time', () => {
    const long = { pastDays: 10_000, futureDays: 1_000, daysAtMost: 1_825 };
    const { startAt, endAt } = freshWindow(long, now);
    expect(endAt.getTime() - startAt.getTime()).toBe(1_825 * day);
    expect(endAt.getTime()).toBeGreaterThan(now.getTime() + 1_000 * day);
    const held = { cursor: 'c', windowStart: startAt, windowEnd: endAt };
    expect(planRound(held, long, now).mode).toBe('incremental');
    expect(planRound(held, long, new Date(now.getTime() + 6.9 * day)).mode).toBe('incremental');
    expect(planRound(held, long, new Date(now.getTime() + 7.1 * day)).mode).toBe('full');
  });

  test('a fresh window covers the promise and keeps a reserve for rolling', () => {
    const { startAt, endAt } = freshWindow(settings, now);
    expect(startAt).toEqual(new Date('2026-11-20T12:00:00Z'));
    expect(endAt).toEqual(new Date('2027-02-22T12:00:00Z'));
  });
});
