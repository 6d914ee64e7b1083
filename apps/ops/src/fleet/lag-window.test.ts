import { describe, expect, test } from '@jest/globals';
import type { MetricJson } from './histogram.ts';
import { createLagWindow } from './lag-window.ts';

const NAME = 'calendar_change_lag_seconds';

/** So many within 1 s and so many between 1 and 10 s. */
function metrics(quick: number, slow: number): MetricJson[] {
  const bucket = (le: string, value: number) => ({ labels: { le }, value, metricName: `${NAME}_bucket` });
  return [
    {
      name: NAME,
      type: 'histogram',
      help: '',
      values: [
        bucket('1', quick),
        bucket('10', quick + slow),
        bucket('+Inf', quick + slow),
        { labels: {}, value: quick + slow, metricName: `${NAME}_count` },
      ],
    },
  ];
}

describe('[B-1] lag on the fleet page', () => {
  test('is that of the window, not of everything that ever was', () => {
    const lags = createLagWindow(60_000);
    lags.note(metrics(0, 1_000), 0);
    lags.note(metrics(0, 1_000), 30_000);
    expect(lags.read(NAME, metrics(100, 1_000), 40_000)).toMatchObject({ count: 100, p50: 0.5, overMs: 40_000 });
    expect(lags.read(NAME, metrics(100, 1_100), 80_000)).toMatchObject({ count: 200, p95: 9.1, overMs: 50_000 });
  });

  test('is everything remembered while nothing came within the window, and nothing when nothing was', () => {
    const lags = createLagWindow(60_000);
    expect(lags.read(NAME, metrics(0, 0), 0)).toEqual({ count: 0, p50: null, p95: null, p99: null, overMs: null });
    lags.note(metrics(10, 0), 0);
    expect(lags.read(NAME, metrics(10, 0), 1_000)).toMatchObject({ count: 10, overMs: null });
  });

  test('never falls below nothing when a forgotten process takes its counts along', () => {
    const lags = createLagWindow(60_000);
    lags.note(metrics(500, 0), 0);
    expect(lags.read(NAME, metrics(20, 0), 1_000)).toMatchObject({ count: 20, p50: 0.5 });
  });
});
