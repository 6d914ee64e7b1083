import { readText } from './read-files.ts';

export interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}

/** The table of docs/metrics.md. */
export function readDocumentedMetrics(): DocumentedMetric[] {
  const rows = [...readText('docs/metrics.md').matchAll(/^\| `(calendar_\w+)` \| (\w+) \| [^|]+ \| ([^|]*) \|/gm)];
  return rows.map(([, name = '', type = '', labels = '']) => ({
    name,
    type,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
  }));
}
