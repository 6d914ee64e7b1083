import { createLogger, createMetrics } from '@bookiji/observability';
import { expect, test } from '@jest/globals';
import { createSweepReporter } from './report-sweeps.ts';

const logger = createLogger({ role: 'test', level: 'silent' });

test('[B-2] a sweep that never succeeded is as old as its process, and none of its failures is missed', async () => {
  const metrics = createMetrics('test');
  const startedAt = Date.now() / 1000;
  const report = createSweepReporter(['due_things', 'retention'], logger, metrics);
  const read = async () => ({
    succeededAt: (await metrics.sweepLastSuccess.get()).values,
    failures: (await metrics.sweepErrors.get()).values.map(({ value }) => value),
  });
  const before = await read();
  expect(before.failures).toEqual([0, 0]);
  expect(before.succeededAt.map(({ labels }) => labels.sweep)).toEqual(['due_things', 'retention']);
  for (const { value } of before.succeededAt) expect(value).toBeGreaterThanOrEqual(startedAt);

  report.failed('due_things', new Error('the database is away'));
  expect(await read()).toEqual({ ...before, failures: [1, 0] });

  report.swept('due_things', 3);
  expect((await metrics.sweepFindings.get()).values.map(({ value }) => value)).toEqual([3]);
});
