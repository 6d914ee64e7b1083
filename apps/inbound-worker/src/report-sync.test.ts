import { createLogger, createMetrics } from '@bookiji/observability';
import { CALENDAR_PROVIDERS, ERROR_KINDS } from '@bookiji/providers/contract';
import { expect, test } from '@jest/globals';
import { createSyncReporter } from './report-sync.ts';

test('[B-2] every kind of failure has a series before its first one: what begins with a burst shows no increase', async () => {
  const metrics = createMetrics('inbound-worker');
  createSyncReporter(createLogger({ role: 'test', level: 'silent' }), metrics);
  const { values } = await metrics.syncFailures.get();
  const shown = values.map(({ labels, value }) => `${labels.calendar_provider} ${labels.kind} ${value}`);
  const all = CALENDAR_PROVIDERS.flatMap((provider) => ERROR_KINDS.map((kind) => `${provider} ${kind} 0`));
  expect(shown.toSorted()).toEqual(all.toSorted());
});
