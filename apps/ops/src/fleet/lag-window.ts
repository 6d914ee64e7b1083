/** Readings of the lag histograms over the last quarter of an hour, so that quantiles tell of now and not of last week. */
import { findQuantile, type Histogram, type MetricJson, readHistogram, subtractHistogram } from './histogram.ts';

export const LAGS = ['calendar_change_lag_seconds', 'calendar_booking_lag_seconds'] as const;
export type LagName = (typeof LAGS)[number];

export interface Lag {
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** How far back it reaches, milliseconds; null for as long as processes are remembered. */
  readonly overMs: number | null;
}

export interface LagWindow {
  /** Takes a reading; call it every few seconds. */
  note(metrics: readonly MetricJson[], nowMs: number): void;
  /** Of the given reading, less what was there a window ago. */
  read(name: LagName, metrics: readonly MetricJson[], nowMs: number): Lag;
}

interface Reading {
  readonly atMs: number;
  readonly histograms: ReadonlyMap<string, Histogram>;
}

const EMPTY: Histogram = { count: 0, sum: 0, buckets: [] };

export function createLagWindow(windowMs = 15 * 60_000): LagWindow {
  let readings: Reading[] = [];
  return {
    note(metrics, nowMs) {
      const kept = readings.filter(({ atMs }) => atMs >= nowMs - windowMs);
      readings = [...kept, { atMs: nowMs, histograms: readLags(metrics) }];
    },
    read(name, metrics, nowMs) {
      const oldest = readings.find(({ atMs }) => atMs >= nowMs - windowMs);
      const all = readLags(metrics).get(name) ?? EMPTY;
      const recent = subtractHistogram(all, oldest?.histograms.get(name) ?? EMPTY);
      // With nothing in the window, what is remembered says more than nothing.
      const isRecent = oldest !== undefined && recent.count > 0;
      const shown = isRecent ? recent : all;
      const quantile = (share: number) => findQuantile(shown, share);
      return {
        count: shown.count,
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
        overMs: isRecent ? nowMs - oldest.atMs : null,
      };
    },
  };
}

function readLags(metrics: readonly MetricJson[]): ReadonlyMap<string, Histogram> {
  return new Map(
    metrics.flatMap((metric) =>
      (LAGS as readonly string[]).includes(metric.name) ? [[metric.name, readHistogram(metric)] as const] : [],
    ),
  );
}
