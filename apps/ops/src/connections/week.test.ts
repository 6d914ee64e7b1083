import { describe, expect, test } from '@jest/globals';
import { fillBetween } from './week.ts';

const at = (day: number, hour = 0) => new Date(Date.UTC(2026, 10, day, hour));
const span = { from: at(23), to: at(26) };
const piece = (kind: string, startAt: Date, endAt: Date) => ({ kind, startAt, endAt });

describe('[I-3] the week as a picture', () => {
  test('is free between what is taken, and unknown outside the window in sync', () => {
    const window = { syncWindowStart: at(23, 12), syncWindowEnd: at(25) };
    const taken = [
      { startAt: at(23, 10), endAt: at(23, 14) },
      { startAt: at(24, 9), endAt: at(24, 10) },
    ];
    expect(fillBetween(window, span, taken)).toEqual([
      piece('unknown', at(23), at(23, 12)),
      piece('unknown', at(25), at(26)),
      piece('free', at(23, 14), at(24, 9)),
      piece('free', at(24, 10), at(25)),
    ]);
  });

  test('claims nothing to be free before the first sync', () => {
    expect(fillBetween({ syncWindowStart: null, syncWindowEnd: null }, span, [])).toEqual([
      piece('unknown', at(23), at(26)),
    ]);
  });
});
