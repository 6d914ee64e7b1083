/** What the code itself says about the values of labels, to hold docs/metrics.md against. */
import { globSync } from 'node:fs';
import { createMetrics } from '@bookiji/observability';
import { QUEUE_STATES } from '../../apps/ops/src/fleet/read-queues.ts';
import { ERROR_KINDS } from '../../packages/providers/src/contract/errors.ts';
import { MISMATCH_KINDS } from '../../packages/sync/src/audit/compare-calendar.ts';
import { ROOT, readText } from './read-files.ts';

/** Metric → label → every value it can take, as far as the code lists them. */
export function listLabelValues(): Map<string, Record<string, readonly string[]>> {
  const sweep = globSync('apps/retry-worker/src/sweeps/*.ts', {
    cwd: ROOT,
    exclude: (name) => name.endsWith('.test.ts'),
  }).flatMap((file) => wordsIn(readText(file), /^ {4}name: '(\w+)'/gm));
  const deadLetters = wordsIn(
    /kind: text\(\)\.\$type<([^>]+)>/.exec(readText('packages/db/src/schema/operations.ts'))?.[1] ?? '',
  );
  const states = wordsIn(
    /type ChannelState = ([^;]+);/.exec(readText('packages/db/src/schema/channels.ts'))?.[1] ?? '',
  );
  return new Map<string, Record<string, readonly string[]>>([
    ['calendar_sync_failures_total', { kind: ERROR_KINDS }],
    ['calendar_audit_mismatches', { kind: MISMATCH_KINDS }],
    ['calendar_queue_jobs', { state: QUEUE_STATES }],
    ['calendar_channels', { state: states }],
    ['calendar_dead_letters', { kind: deadLetters }],
    ['calendar_sweep_found_total', { sweep }],
    ['calendar_webhooks_total', { outcome: listNotificationOutcomes() }],
    ['calendar_sync_runs_total', { mode: valuesAtZero('calendar_sync_runs_total', 'mode') }],
    ['calendar_booking_events_total', { outcome: valuesAtZero('calendar_booking_events_total', 'outcome') }],
    ['calendar_store_errors_total', { store: valuesAtZero('calendar_store_errors_total', 'store') }],
  ]);
}

/** Verdicts under the names that ingress counts them by, and why a request is refused before there is a verdict. */
function listNotificationOutcomes(): string[] {
  const union = /type DeliveryVerdict =([\s\S]+?');/.exec(readText('packages/db/src/queries/deliveries.ts'))?.[1] ?? '';
  const refusals = /OUTCOMES[^{]+{([^}]+)}/.exec(readText('apps/ingress/src/routes/webhook.ts'))?.[1] ?? '';
  const refused = /^(unknown_\w+|unauthentic|not_allowed)$/;
  const verdicts = wordsIn(union).filter((verdict) => !refused.test(verdict));
  return [...new Set([...verdicts, ...wordsIn(refusals, /: '(\w+)'/g), 'unavailable'])];
}

function valuesAtZero(name: string, label: string): string[] {
  const metric = createMetrics('test').registry.getSingleMetric(name) as unknown as {
    readonly hashMap: Record<string, { readonly labels: Record<string, string> }>;
  };
  return [...new Set(Object.values(metric.hashMap).map(({ labels }) => labels[label] ?? ''))];
}

function wordsIn(text: string, pattern = /'(\w+)'/g): string[] {
  return [...text.matchAll(pattern)].map(([, word = '']) => word);
}
