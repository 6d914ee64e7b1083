import { expect, test } from '@jest/globals';
import { type JudgeOptions, judgeSeries } from './judge-series.ts';

const MB = 2 ** 20;
const MINUTE_MS = 60_000;
const ALLOW = { share: 0.05, atLeast: 5 * MB };

/** Park and Miller's generator: the same every time. In [-1, 1). */
function createNoise(): () => number {
  let state = 42;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return (2 * state) / 2_147_483_647 - 1;
  };
}

/** An hour of readings, one a minute. */
function judge(valueAt: (minute: number, noise: number) => number, options?: JudgeOptions) {
  const noise = createNoise();
  const readings = Array.from({ length: 61 }, (_, at) => ({ atMs: at * MINUTE_MS, value: valueAt(at, noise()) }));
  return judgeSeries(readings, ALLOW, options);
}

const sawtooth = (minute: number, period: number) => ((minute % period) / period) * 40 * MB;
const frozen = (minute: number) => (minute === 47 ? 400 * MB : 0);

test.each<[name: string, valueAt: (minute: number, noise: number) => number]>([
  ['a level', () => 100 * MB],
  ['a level with noise', (_, noise) => 100 * MB + 10 * MB * noise],
  ['a sawtooth of seven minutes', (minute) => 60 * MB + sawtooth(minute, 7)],
  ['a sawtooth of thirteen minutes with noise', (minute, noise) => 60 * MB + sawtooth(minute, 13) + 2 * MB * noise],
  ['a sawtooth of twenty minutes that ends at its height', (minute) => 60 * MB + sawtooth(minute, 20.4)],
  ['a warm-up that ends', (minute, noise) => 100 * MB - 60 * MB * Math.exp(-minute / 6) + MB * noise],
  ['a table that fills until its retention', (minute) => Math.min(minute, 10) * 10 * MB],
  ['one reading that is far off', (minute, noise) => 100 * MB + frozen(minute) + MB * noise],
  ['a level that falls', (minute) => 200 * MB - minute * MB],
])('%s is flat', (_name, valueAt) => {
  expect(judge(valueAt)).toMatchObject({ isFlat: true });
});

test.each<[name: string, valueAt: (minute: number, noise: number) => number]>([
  ['a leak', (minute) => 100 * MB + (minute * MB) / 3],
  ['a leak with noise', (minute, noise) => 100 * MB + (minute * MB) / 3 + 3 * MB * noise],
  ['a leak below a sawtooth', (minute) => 60 * MB + minute * MB + sawtooth(minute, 4) / 4],
  ['a leak that begins late', (minute) => 100 * MB + Math.max(0, minute - 30) * MB],
])('%s grows', (_name, valueAt) => {
  expect(judge(valueAt)).toMatchObject({ isFlat: false });
});

const dip = (minute: number) => (minute > 26 && minute < 34 ? 90 * MB : 0);
test('what was given back and is taken again is flat where that may be, and growth elsewhere', () => {
  const regained = (minute: number, noise: number) =>
    250 * MB - dip(minute) - (minute < 34 ? 0 : 30 * MB * Math.exp((34 - minute) / 9)) + MB * noise;
  expect(judge(regained)).toMatchObject({ isFlat: false });
  expect(judge(regained, { mayReturn: true })).toMatchObject({ isFlat: true });
});

test('a leak grows even where a level may return', () => {
  const leak = (minute: number, noise: number) => 100 * MB - dip(minute) / 2 + (minute * MB) / 3 + 3 * MB * noise;
  expect(judge(leak, { mayReturn: true })).toMatchObject({ isFlat: false });
});

test('a leak is told in what it comes to a day', () => {
  const { grownADay } = judge((minute) => 100 * MB + minute * MB);
  expect(grownADay / MB).toBeCloseTo(1_440);
});

test('a handful of readings is not judged', () => {
  expect(() => judgeSeries([{ atMs: 0, value: 1 }], ALLOW)).toThrow('too few');
});
