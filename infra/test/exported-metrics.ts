import { createMetrics } from '@bookiji/observability';

export interface ExportedMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly labels: readonly string[];
}

/** What every process exports under our prefix. */
export function listExportedMetrics(): ExportedMetric[] {
  const { registry } = createMetrics('test');
  const metrics = registry.getMetricsAsArray() as unknown as (ExportedMetric & { labelNames: string[] })[];
  const ours = metrics.filter((metric) => metric.name.startsWith('calendar_'));
  // Asked for its type a metric tells its values too; its class says the same.
  return ours.map((metric) => ({
    name: metric.name,
    type: metric.constructor.name.toLowerCase() as ExportedMetric['type'],
    labels: metric.labelNames,
  }));
}

/** The metric behind a series' name; undefined when nobody exports it. */
export function findExported(metrics: readonly ExportedMetric[], series: string): ExportedMetric | undefined {
  const direct = metrics.find((metric) => metric.name === series);
  if (direct !== undefined) return direct.type === 'histogram' ? undefined : direct;
  const base = series.replace(/_(bucket|sum|count)$/, '');
  return metrics.find((metric) => metric.name === base && metric.type === 'histogram');
}
