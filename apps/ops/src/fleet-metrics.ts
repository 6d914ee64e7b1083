/** The sum over the whole fleet, from what every process reported and what the database itself can tell. */
import { type Database, listProcesses, readFleetState } from '@bookiji/db';
import { AggregatorRegistry } from '@bookiji/observability';

interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

interface MetricJson {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly values: readonly Sample[];
}

/** Counters and histograms of processes that are gone are kept: what they counted has happened. Gauges are not. */
export async function readFleetMetrics(db: Database, own: readonly MetricJson[]): Promise<MetricJson[]> {
  const reports = await listProcesses(db);
  const parts = reports.map(({ metrics, isAlive, role }) =>
    (metrics as MetricJson[]).filter((metric) => role !== 'ops' && (isAlive || metric.type !== 'gauge')),
  );
  const sums = AggregatorRegistry.aggregate([...parts, own].map(dropRole) as never);
  return (await sums.getMetricsAsJSON()) as unknown as MetricJson[];
}

/** Prometheus text of the same. */
export async function readFleetMetricsText(db: Database, own: readonly MetricJson[]): Promise<string> {
  const reports = await listProcesses(db);
  const parts = reports.map(({ metrics, isAlive, role }) =>
    (metrics as MetricJson[]).filter((metric) => role !== 'ops' && (isAlive || metric.type !== 'gauge')),
  );
  return AggregatorRegistry.aggregate([...parts, own].map(dropRole) as never).metrics();
}

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
  const total = (suffix: string) =>
    metric.values
      .filter((sample) => sample.metricName === `${metric.name}${suffix}`)
      .reduce((sum, one) => sum + one.value, 0);
  const buckets = new Map<number, number>();
  for (const sample of metric.values) {
    if (sample.labels.le === undefined) continue;
    const bound = sample.labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(sample.labels.le);
    buckets.set(bound, (buckets.get(bound) ?? 0) + sample.value);
  }
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const quantile = (share: number) => findQuantile(sorted, total('_count'), share);
  return { count: total('_count'), sum: total('_sum'), p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) };
}

/** Linear within the bucket, as Prometheus does; null without observations, the last bound beyond it. */
function findQuantile(buckets: readonly (readonly [number, number])[], count: number, share: number): number | null {
  if (count === 0) return null;
  const rank = share * count;
  let [lower, below] = [0, 0];
  for (const [bound, upTo] of buckets) {
    if (upTo >= rank) {
      if (bound === Number.POSITIVE_INFINITY) return lower;
      return upTo === below ? bound : lower + ((bound - lower) * (rank - below)) / (upTo - below);
    }
    [lower, below] = [bound, upTo];
  }
  return lower;
}

/** Sets the gauges that only the database can tell. */
export async function updateDatabaseGauges(
  db: Database,
  gauges: {
    readonly intentsPending: { set(labels: { kind: string }, value: number): void };
    readonly intentOldestAge: { set(labels: { kind: string }, value: number): void };
    readonly deadLetters: { reset(): void; set(labels: { kind: string }, value: number): void };
    readonly channels: {
      reset(): void;
      set(labels: { calendar_provider: string; state: string }, value: number): void;
    };
  },
): Promise<void> {
  const state = await readFleetState(db);
  for (const { kind, count, oldestSeconds } of state.pending) {
    gauges.intentsPending.set({ kind }, count);
    gauges.intentOldestAge.set({ kind }, oldestSeconds);
  }
  gauges.deadLetters.reset();
  for (const kind of ['booking_event', 'outbound_sync']) gauges.deadLetters.set({ kind }, 0);
  for (const { kind, count } of state.deadLetters) gauges.deadLetters.set({ kind }, count);
  gauges.channels.reset();
  for (const { calendarProvider, state: name, count } of state.channels) {
    gauges.channels.set({ calendar_provider: calendarProvider, state: name }, count);
  }
}
