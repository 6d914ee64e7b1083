import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Interval, intersectBusy, mergeIntervals, subtractBusy } from './intervals.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 24, 0, minute));
const span = (from: number, to: number): Interval => ({ startAt: at(from), endAt: at(to) });
const minutes = (intervals: readonly Interval[]) =>
  intervals.map(({ startAt, endAt }) => [
    (startAt.getTime() - at(0).getTime()) / 60_000,
    (endAt.getTime() - at(0).getTime()) / 60_000,
  ]);

describe('[I-3] subtractBusy', () => {
  test.each<[string, [number, number][], [number, number][]]>([
    ['nothing busy', [], [[60, 120]]],
    ['busy before, touching', [[30, 60]], [[60, 120]]],
    ['busy after, touching', [[120, 150]], [[60, 120]]],
    [
      'busy in the middle',
      [[80, 90]],
      [
        [60, 80],
        [90, 120],
      ],
    ],
    ['busy over the start', [[30, 70]], [[70, 120]]],
    ['busy over the end', [[110, 150]], [[60, 110]]],
    ['busy over all', [[0, 200]], []],
    ['busy exactly', [[60, 120]], []],
    [
      'nested and overlapping',
      [
        [70, 100],
        [75, 80],
        [95, 105],
      ],
      [
        [60, 70],
        [105, 120],
      ],
    ],
    [
      'touching each other',
      [
        [70, 80],
        [80, 90],
      ],
      [
        [60, 70],
        [90, 120],
      ],
    ],
    ['without length', [[80, 80]], [[60, 120]]],
  ])('%s', (_, busy, free) => {
    expect(
      minutes(
        subtractBusy(
          [span(60, 120)],
          busy.map(([a, b]) => span(a, b)),
        ),
      ),
    ).toEqual(free);
  });

  test('slots stay apart and in their order', () => {
    expect(minutes(subtractBusy([span(120, 180), span(60, 120)], [span(110, 130)]))).toEqual([
      [130, 180],
      [60, 110],
    ]);
  });

  test('a day of 25 hours is busy for 25 hours', () => {
    const day = { startAt: new Date('2026-11-01T04:00:00Z'), endAt: new Date('2026-11-02T05:00:00Z') };
    const slots = [{ startAt: new Date('2026-11-02T04:30:00Z'), endAt: new Date('2026-11-02T05:30:00Z') }];
    expect(subtractBusy(slots, [day])).toEqual([{ startAt: day.endAt, endAt: new Date('2026-11-02T05:30:00Z') }]);
  });
});

const intervals = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 60 }))
    .map(([from, length]) => span(from, from + length)),
  { maxLength: 12 },
);
const covers = (list: readonly Interval[], minute: number) =>
  list.some(({ startAt, endAt }) => startAt <= at(minute) && at(minute) < endAt);
const everyMinute = Array.from({ length: 261 }, (_, minute) => minute);

describe('[I-3] interval algebra, by its meaning minute by minute', () => {
  test('free is what is in a slot and not busy; busy is what is in both', () => {
    fc.assert(
      fc.property(intervals, intervals, (slots, busy) => {
        const free = subtractBusy(slots, busy);
        const taken = intersectBusy(slots, busy);
        for (const minute of everyMinute) {
          expect(covers(free, minute)).toBe(covers(slots, minute) && !covers(busy, minute));
          expect(covers(taken, minute)).toBe(covers(slots, minute) && covers(busy, minute));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('merged intervals are in order, apart, and cover the same', () => {
    fc.assert(
      fc.property(intervals, (list) => {
        const merged = mergeIntervals(list);
        for (const [index, next] of merged.slice(1).entries()) {
          expect(next.startAt.getTime()).toBeGreaterThan(merged[index]?.endAt.getTime() ?? 0);
        }
        for (const minute of everyMinute) expect(covers(merged, minute)).toBe(covers(list, minute));
      }),
      { numRuns: 300 },
    );
  });
});
