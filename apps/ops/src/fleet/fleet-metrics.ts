/** The sum over the whole fleet, from what every process reported and what the database itself can tell. */
import {
  countMismatches,
  type Database,
  listProcesses,
  type ReportedProcess,
  readFleetState,
  type WorkGates,
} from '@bookiji/db';
import { AggregatorRegistry } from '@bookiji/observability';
import { MISMATCH_KINDS } from '@bookiji/sync';
import { findQuantile, type MetricJson, readHistogram } from './histogram.ts';

export async function readFleetMetrics(db: Database, own: readonly MetricJson[]): Promise<MetricJson[]> {
  return sumMetrics(await listProcesses(db), own);
}

/** Prometheus text of the same. */
export async function readFleetMetricsText(db: Database, own: readonly MetricJson[]): Promise<string> {
  return aggregate(await listProcesses(db), own).metrics();
}

/** @param own of this process, whose gauges of the database are the newest. */
export async function sumMetrics(
  reports: readonly ReportedProcess[],
  own: readonly MetricJson[],
): Promise<MetricJson[]> {
  return (await aggregate(reports, own).getMetricsAsJSON()) as unknown as MetricJson[];
}

/** Counters and histograms of processes that are gone are kept: what they counted has happened. Gauges are not. */
function aggregate(reports: readonly ReportedProcess[], own: readonly MetricJson[]) {
  const parts = reports.map(({ metrics, isAlive, role }) => {
    const told = (metrics as MetricJson[]).filter((metric) => role !== 'ops' && (isAlive || metric.type !== 'gauge'));
    const isNameless = role !== 'ops' && isAlive && !told.some(({ name }) => name === BUILD.name);
    return isNameless ? [...told, BUILD] : told;
  });
  return AggregatorRegistry.aggregate([...parts, own].map(dropRole) as never);
}

/** Of a process whose version does not say what it runs yet. */
const BUILD: MetricJson = {
  name: 'calendar_build_info',
  help: 'Processes by the commit that they run',
  type: 'gauge',
  aggregator: 'sum',
  values: [{ labels: { commit: 'unknown' }, value: 1 }],
};

function dropRole(metrics: readonly MetricJson[]): MetricJson[] {
  return metrics
    .filter((metric) => metric.name.startsWith('calendar_'))
    .map((metric) => ({
      ...metric,
      values: metric.values.map((sample) => ({
        ...sample,
        labels: Object.fromEntries(Object.entries(sample.labels).filter(([name]) => name !== 'role')),
      })),
    }));
}

/** The JSON of the metrics route: plain numbers under their names, the labelled parts beside, histograms with quantiles. */
export function summarise(metrics: readonly MetricJson[]): Record<string, unknown> {
  const summary: Record<string, unknown> = {};
  for (const metric of metrics) {
    if (metric.type === 'histogram') {
      summary[metric.name] = summariseHistogram(metric);
      continue;
    }
    const labelled = metric.values.filter((sample) => Object.keys(sample.labels).length > 0);
    summary[metric.name] = metric.values.reduce((sum, sample) => sum + sample.value, 0);
    if (labelled.length > 0) {
      summary[`${metric.name}_by_label`] = labelled.map(({ labels, value }) => ({ ...labels, value }));
    }
  }
  return summary;
}

function summariseHistogram(metric: MetricJson) {
  const histogram = readHistogram(metric);
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => findQuantile(histogram, share));
  return { count: histogram.count, sum: histogram.sum, p50, p95, p99 };
}
/** Sets the gauges that only the database can tell. */
export async function updateDatabaseGauges(
  db: Database,
  gates: WorkGates,
  gauges: {
    readonly intentsPending: { set(labels: { kind: string }, value: number): void };
    readonly intentsParked: { set(labels: { kind: string }, value: number): void };
    readonly intentOldestAge: { set(labels: { kind: string }, value: number): void };
    readonly doubtfulConnections: { set(labels: { calendar_provider: string }, value: number): void };
    readonly deadLetters: { reset(): void; set(labels: { kind: string }, value: number): void };
    readonly auditMismatches: { reset(): void; set(labels: { kind: string }, value: number): void };
    readonly channels: {
      reset(): void;
      set(labels: { calendar_provider: string; state: string }, value: number): void;
    };
  },
): Promise<void> {
  const state = await readFleetState(db, gates);
  for (const { kind, count, oldestSeconds, parkedCount } of state.pending) {
    gauges.intentsPending.set({ kind }, count);
    gauges.intentsParked.set({ kind }, parkedCount);
    gauges.intentOldestAge.set({ kind }, oldestSeconds);
  }
  for (const { calendarProvider, count } of state.doubtful) {
    gauges.doubtfulConnections.set({ calendar_provider: calendarProvider }, count);
  }
  gauges.deadLetters.reset();
  for (const kind of ['booking_event', 'outbound_sync', 'held_deletions']) gauges.deadLetters.set({ kind }, 0);
  for (const { kind, count } of state.deadLetters) gauges.deadLetters.set({ kind }, count);
  gauges.auditMismatches.reset();
  for (const kind of MISMATCH_KINDS) gauges.auditMismatches.set({ kind }, 0);
  for (const [kind, count] of await countMismatches(db, gates.allow)) gauges.auditMismatches.set({ kind }, count);
  gauges.channels.reset();
  for (const { calendarProvider, state: name, count } of state.channels) {
    gauges.channels.set({ calendar_provider: calendarProvider, state: name }, count);
  }
}
