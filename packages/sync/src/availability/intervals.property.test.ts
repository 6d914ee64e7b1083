import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Interval, intersectBusy, mergeIntervals, subtractBusy } from './intervals.ts';

const MINUTES = 40;
const at = (minute: number) => new Date(Date.UTC(2026, 10, 24, 0, minute));
const span = fc
  .tuple(fc.nat(MINUTES - 10), fc.nat(10))
  .map(([from, length]): Interval => ({ startAt: at(from), endAt: at(from + length) }));
const spans = fc.array(span, { maxLength: 8 });

/** The meaning of a list of intervals: one bit per minute. */
function bitsOf(intervals: readonly Interval[]): bigint {
  const minuteOf = (instant: Date) => BigInt((instant.getTime() - at(0).getTime()) / 60_000);
  return intervals.reduce(
    (bits, { startAt, endAt }) => bits | ((1n << minuteOf(endAt)) - (1n << minuteOf(startAt))),
    0n,
  );
}

const lengthOf = (intervals: readonly Interval[]) =>
  intervals.reduce((sum, { startAt, endAt }) => sum + (endAt.getTime() - startAt.getTime()), 0);
const cases = (numRuns: number) => ({ numRuns });

describe('[I-3] interval algebra as a set algebra', () => {
  test('what is free, what is taken, and nothing else is the slot', () => {
    fc.assert(
      fc.property(spans, spans, (slots, busy) => {
        const free = bitsOf(subtractBusy(slots, busy));
        const taken = bitsOf(intersectBusy(slots, busy));
        expect(free).toBe(bitsOf(slots) & ~bitsOf(busy));
        expect(taken).toBe(bitsOf(slots) & bitsOf(busy));
      }),
      cases(5_000),
    );
  });

  test('no free piece is empty, overlaps another piece of its slot, or leaves its slot', () => {
    fc.assert(
      fc.property(span, spans, (slot, busy) => {
        const free = subtractBusy([slot], busy);
        for (const piece of free) {
          expect(piece.startAt < piece.endAt && piece.startAt >= slot.startAt && piece.endAt <= slot.endAt).toBe(true);
        }
        expect(lengthOf(free)).toBe(lengthOf(mergeIntervals(free)));
      }),
      cases(3_000),
    );
  });

  test('the order and the repetition of busy time mean nothing, and taking it away twice changes nothing', () => {
    fc.assert(
      fc.property(spans, spans, (slots, busy) => {
        const free = subtractBusy(slots, busy);
        expect(subtractBusy(slots, [...busy, ...busy].reverse())).toEqual(free);
        expect(subtractBusy(free, busy)).toEqual(free);
      }),
      cases(2_000),
    );
  });

  test('a merged list is the fewest intervals with the same meaning, and merging again changes nothing', () => {
    fc.assert(
      fc.property(spans, (list) => {
        const merged = mergeIntervals(list);
        const bits = bitsOf(list);
        expect(bitsOf(merged)).toBe(bits);
        const runs = [...bits.toString(2)].filter((bit, index, all) => bit === '1' && all[index - 1] !== '1').length;
        expect(merged).toHaveLength(runs);
        expect(mergeIntervals(merged)).toEqual(merged);
      }),
      cases(3_000),
    );
  });
});
