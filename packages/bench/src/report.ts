import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname } from 'node:path';
import { type BenchResult, isMet } from './figures.ts';

/** The table for people. */
export function toTable(results: readonly BenchResult[]): string {
  const lines = ['| benchmark | figure | value | held to |', '| --- | --- | --- | --- |'];
  for (const { bench, figures, ratios } of results) {
    for (const { name, value, unit } of figures) lines.push(`| ${bench} | ${name} | ${value} ${unit} | |`);
    for (const ratio of ratios) {
      const { target } = ratio;
      const held = 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
      lines.push(`| ${bench} | **${ratio.name}** | **${ratio.value}** | ${held} ${isMet(ratio) ? '' : 'MISSED'} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The same for machines, with what it was measured on. */
export function writeJson(file: string, results: readonly BenchResult[]): void {
  mkdirSync(dirname(file), { recursive: true });
  const machine = { cores: availableParallelism(), cpu: cpus()[0]?.model ?? 'unknown', node: process.version };
  writeFileSync(file, `${JSON.stringify({ measured_at: new Date().toISOString(), machine, results }, null, 2)}\n`);
}
