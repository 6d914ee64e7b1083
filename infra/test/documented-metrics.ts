import { readText } from './read-files.ts';

export interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly meaning: string;
}

/** The table of docs/metrics.md. */
export function readDocumentedMetrics(): DocumentedMetric[] {
  const rows = [
    ...readText('docs/metrics.md').matchAll(/^\| `(calendar_\w+)` \| (\w+) \| [^|]+ \| ([^|]*) \| ([^|]*) \|/gm),
  ];
  return rows.map(([, name = '', type = '', labels = '', meaning = '']) => ({
    name,
    type,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
    meaning,
  }));
}

/** The values that the meaning of a metric lists for one of its labels: the words of the sentence that begins with it. */
export function valuesIn(meaning: string, label: string): string[] {
  const sentence = new RegExp(`\`${label}\`: (.*?)(?:\\. |$)`).exec(meaning)?.[1] ?? '';
  return [...sentence.matchAll(/`(\w+)`/g)].map(([, value = '']) => value);
}
