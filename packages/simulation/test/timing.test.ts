import { LEASE_MS } from '@bookiji/db';
import { JOB_LOCK } from '@bookiji/queues';
import { loadSettings, pick } from '@bookiji/runtime';
import { expect, test } from '@jest/globals';
import * as simulated from '../src/timing.ts';

test('the simulated fleet keeps the times of the real one', () => {
  const names = ['PROVIDER_TIMEOUT_MS', 'RECONCILE_INTERVAL_SECONDS', 'SWEEP_INTERVAL_MS'] as const;
  const defaults = loadSettings(pick(...names), {});
  expect(simulated).toMatchObject({
    LEASE_MS,
    PROVIDER_TIMEOUT_MS: defaults.PROVIDER_TIMEOUT_MS,
    RECONCILE_SECONDS: defaults.RECONCILE_INTERVAL_SECONDS,
    SWEEP_MS: defaults.SWEEP_INTERVAL_MS,
    STALLED_MS: JOB_LOCK.lockDuration + JOB_LOCK.stalledInterval,
  });
});

test('a dead worker’s job finds its lease free: the lease is over when the queue gives the job to another', () => {
  expect(LEASE_MS).toBeLessThanOrEqual(JOB_LOCK.lockDuration);
});
