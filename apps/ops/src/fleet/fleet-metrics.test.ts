import { createMetrics } from '@bookiji/observability';
import { expect, test } from '@jest/globals';
import { sumMetrics } from './fleet-metrics.ts';
import type { MetricJson } from './histogram.ts';

const COMMIT = 'c'.repeat(40);
/** As a process reports them; without a commit it is of a version that does not say what it runs. */
async function metricsOf(role: string, commit: string | null): Promise<MetricJson[]> {
  const { registry, build } = createMetrics(role);
  if (commit !== null) build.set({ commit }, 1);
  const metrics = (await registry.getMetricsAsJSON()) as unknown as MetricJson[];
  return commit === null ? metrics.filter(({ name }) => name !== 'calendar_build_info') : metrics;
}

test('[P-2] a process that does not say what it runs makes the commit of its fleet unknown, unless it is gone', async () => {
  const report = async (role: string, commit: string | null, isAlive = true) =>
    ({ role, isAlive, metrics: await metricsOf(role, commit) }) as never;
  const buildsOf = async (...reports: never[]) => {
    const summed = await sumMetrics(reports, await metricsOf('ops', COMMIT));
    const values = summed.find(({ name }) => name === 'calendar_build_info')?.values ?? [];
    return Object.fromEntries(values.map(({ labels, value }) => [labels.commit, value]));
  };
  expect(await buildsOf(await report('ingress', COMMIT), await report('inbound-worker', COMMIT))).toEqual({
    [COMMIT]: 3,
  });
  expect(await buildsOf(await report('ingress', COMMIT), await report('outbound-worker', null))).toEqual({
    [COMMIT]: 2,
    unknown: 1,
  });
  expect(await buildsOf(await report('outbound-worker', null, false))).toEqual({ [COMMIT]: 1 });
});
