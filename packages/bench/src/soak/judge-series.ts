/**
 * Whether a series of readings grows or is flat. Pure.
 *
 * Only the second half of the run is judged: what fills up first (pools, caches, tables that have not reached their
 * retention yet, the heap's own idea of its size) is warm-up. In it, the slope is Theil and Sen's, the median of the
 * slopes between all pairs of readings, which neither a collected heap nor a vacuumed table nor a frozen minute bends.
 * A series grows when all of these say so:
 *
 * - over the half that is judged the slope comes to more than the series is allowed;
 * - Mann and Kendall's test finds that a trend, at a chance of error of 1 %, so that noise around one level is no growth;
 * - for what is given back and taken again (V8's memory after a minute in which the machine stood still, the sessions of a
 *   pool when they reach their age), the last quarter stands above the level of the first half.
 */

/** In the series' own unit over the half that is judged; the larger one counts. */
export interface Allowance {
  /** Of the series' own median. */
  readonly share: number;
  readonly atLeast: number;
}

export interface JudgeOptions {
  /** A level that was held before is no growth either: the series is given back at times and taken again. */
  readonly mayReturn?: boolean;
}

export interface Reading {
  /** Since the run began. */
  readonly atMs: number;
  readonly value: number;
}

export interface SeriesVerdict {
  readonly isFlat: boolean;
  /** Of the half that is judged. */
  readonly median: number;
  /** What the slope comes to over the half that is judged; less than nothing when it shrinks. */
  readonly grown: number;
  readonly allowed: number;
  /** What it would come to in 24 hours. */
  readonly grownADay: number;
  /** Whether the rise is more than noise. */
  readonly isTrend: boolean;
}

const DAY_MS = 86_400_000;
/** One-sided, 1 %. */
const SIGNIFICANT = 2.33;
/** Fewer readings than this cannot show a trend. */
const FEWEST = 8;

/** @throws Error when there are too few readings to judge. */
export function judgeSeries(
  readings: readonly Reading[],
  allow: Allowance,
  { mayReturn = false }: JudgeOptions = {},
): SeriesVerdict {
  const judged = readings.slice(Math.floor(readings.length / 2));
  const [first, last] = [judged[0], judged.at(-1)];
  if (first === undefined || last === undefined || judged.length < FEWEST) {
    throw new Error(`${judged.length} readings are too few to judge`);
  }
  const slope = medianOf(slopesOf(judged));
  const grown = slope * (last.atMs - first.atMs);
  const median = medianOf(judged.map(({ value }) => value));
  const allowed = Math.max(allow.atLeast, allow.share * median);
  const isTrend = trendOf(judged.map(({ value }) => value)) >= SIGNIFICANT;
  const hasReturned = mayReturn && isHeldBefore(readings);
  return {
    isFlat: grown <= allowed || !isTrend || hasReturned,
    median,
    grown,
    allowed,
    grownADay: slope * DAY_MS,
    isTrend,
  };
}

/** Whether the last quarter stands no higher than nine tenths of the readings of the first half did at most. */
function isHeldBefore(readings: readonly Reading[]): boolean {
  const values = readings.map(({ value }) => value);
  const before = values.slice(0, Math.floor(values.length / 2)).sort((one, other) => one - other);
  const held = before[Math.ceil(before.length * 0.9) - 1] ?? Number.NEGATIVE_INFINITY;
  return medianOf(values.slice(Math.floor((values.length * 3) / 4))) <= held;
}

function slopesOf(readings: readonly Reading[]): number[] {
  return readings.flatMap((one, at) =>
    readings.slice(at + 1).map((later) => (later.value - one.value) / (later.atMs - one.atMs)),
  );
}

/** Mann and Kendall's, in standard deviations, with the variance corrected for values that are equal. */
function trendOf(values: readonly number[]): number {
  let score = 0;
  values.forEach((one, at) => {
    for (const later of values.slice(at + 1)) score += Math.sign(later - one);
  });
  const ties = new Map<number, number>();
  for (const value of values) ties.set(value, (ties.get(value) ?? 0) + 1);
  const term = (n: number) => n * (n - 1) * (2 * n + 5);
  const variance = [...ties.values()].reduce((rest, n) => rest - term(n), term(values.length)) / 18;
  return variance === 0 ? 0 : (score - Math.sign(score)) / Math.sqrt(variance);
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
