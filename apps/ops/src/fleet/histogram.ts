/** Quantiles of what prom-client counted, over all processes and calendar providers, and over a stretch of time. Pure. */
export interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

export interface MetricJson {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly values: readonly Sample[];
  /** How several processes' become one; prom-client's own word. */
  readonly aggregator?: string;
}

export interface Histogram {
  readonly count: number;
  readonly sum: number;
  /** Upper bound → observations up to it, ascending; the last bound is infinite. */
  readonly buckets: readonly (readonly [bound: number, upTo: number])[];
}

/** The metric's parts summed over their labels. */
export function readHistogram(metric: MetricJson): Histogram {
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
  return { count: total('_count'), sum: total('_sum'), buckets: [...buckets].sort(([a], [b]) => a - b) };
}

/** What came between two readings. Never negative: what a forgotten process had counted is missing in the later one. */
export function subtractHistogram(later: Histogram, earlier: Histogram): Histogram {
  const before = new Map(earlier.buckets);
  return {
    count: Math.max(0, later.count - earlier.count),
    sum: Math.max(0, later.sum - earlier.sum),
    buckets: later.buckets.map(([bound, upTo]) => [bound, Math.max(0, upTo - (before.get(bound) ?? 0))]),
  };
}

/** Linear within the bucket, as Prometheus does; null without observations, the last bound beyond it. */
export function findQuantile({ buckets, count }: Histogram, share: number): number | null {
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
