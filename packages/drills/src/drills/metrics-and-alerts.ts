import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@bookiji/local-fleet';
import { parse } from 'yaml';
import type { Drill } from '../drill.ts';
import type { Scene } from '../scene/scene.ts';

const RULES = join(ROOT, 'infra', 'prometheus', 'rules');
const ASKED_METRICS = {
  calendar_sync_runs_total: 'counter',
  calendar_sync_failures_total: 'counter',
  calendar_sync_items_processed: 'counter',
  calendar_sync_latency_ms: 'histogram',
  calendar_jobs_enabled: 'gauge',
};
/** The alerts that were asked for, by what they watch. */
const ASKED_ALERTS = [
  'CalendarSyncFailures',
  'CalendarSyncFailureRatio',
  'CalendarSyncLatencyP95',
  'CalendarSyncLatencyP99',
  'CalendarSyncStopped',
  'CalendarItemsOffAverage',
];

interface Rule {
  readonly alert?: string;
  readonly expr: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const metricsAndAlerts: Drill = {
  name: 'metrics-and-alerts',
  title: 'The fleet tells its metrics, and every alert stands on metrics that are told',
  proves: ['B-1', 'B-2'],
  needs: ['ops'],
  phase: 'calm',
  async run(scene) {
    const told = await sawMetrics(scene);
    sawAlerts(scene, told);
  },
};

/** @returns the metrics that the fleet tells, as TYPE lines name them. */
async function sawMetrics(scene: Scene): Promise<ReadonlyMap<string, string>> {
  const text = await scene.ops.prometheusText();
  const told = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));
  const types = Object.fromEntries(Object.keys(ASKED_METRICS).map((name) => [name, told.get(name) ?? null]));
  scene.notes.saw('[B-1] the metrics asked for are there, in text', types, ASKED_METRICS);
  const json = await scene.ops.metrics();
  const missing = Object.keys(ASKED_METRICS).filter((name) => !(name in json));
  scene.notes.saw('[B-1] and in JSON', missing, []);
  const latency = json.calendar_sync_latency_ms as Readonly<Record<string, unknown>> | undefined;
  const parts = Object.keys(latency ?? {}).sort();
  scene.notes.saw('[B-1] histograms tell count, sum and quantiles', parts, ['count', 'p50', 'p95', 'p99', 'sum']);
  const unknown = await scene.ops.request('GET', '/api/ops/metrics/calendar', 'not a token');
  scene.notes.saw('[B-1] they are told to operators only', unknown.status, 401);
  scene.notes.did('read the metrics of the fleet', { metrics: told.size });
  return told;
}

function sawAlerts(scene: Scene, told: ReadonlyMap<string, string>): void {
  const rules = readdirSync(RULES)
    .filter((file) => file.endsWith('.yml'))
    .flatMap((file) => (parse(readFileSync(join(RULES, file), 'utf8')) as { groups: { rules: Rule[] }[] }).groups)
    .flatMap((group) => group.rules);
  const alerts = rules.filter((rule) => rule.alert !== undefined);
  scene.notes.did('read the alert rules', { alerts: alerts.length });
  const names = alerts.map(({ alert }) => alert);
  scene.notes.saw(
    '[B-2] every alert asked for is there',
    ASKED_ALERTS.filter((name) => !names.includes(name)),
    [],
  );
  const used = new Set(rules.flatMap(({ expr }) => expr.match(/\bcalendar_[a-z0-9_]+/g) ?? []));
  const untold = [...used].filter((name) => !told.has(name) && !told.has(name.replace(/_(bucket|sum|count)$/, '')));
  // Words that a rule uses as labels, and metrics that begin with their first count.
  const unexplained = untold.filter((name) => name !== 'calendar_provider' && !isDocumented(name));
  scene.notes.saw('[B-2] every metric that rules stand on is told or documented', unexplained, []);
  const lost = alerts
    .map(({ annotations }) => annotations?.runbook_url ?? annotations?.runbook ?? '')
    .filter((url) => !existsSync(join(ROOT, 'docs', 'runbooks', url.split('/').at(-1) || 'none')));
  scene.notes.saw('[B-2] every alert names a runbook that is there', lost, []);
}

function isDocumented(name: string): boolean {
  return readFileSync(join(ROOT, 'docs', 'metrics.md'), 'utf8').includes(
    `\`${name.replace(/_(bucket|sum|count)$/, '')}\``,
  );
}
