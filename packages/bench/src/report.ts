import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { type BenchResult, isMet, type Ratio } from './figures.ts';

/** What was measured, and on what. */
export interface Report {
  readonly machine: { readonly cores: number; readonly cpu: string; readonly memoryGb: number; readonly node: string };
  readonly results: readonly BenchResult[];
}

/** The table for people, in Markdown. */
export function toTable(results: readonly BenchResult[]): string {
  const lines = ['| benchmark | figure | value | target |', '| --- | --- | --- | --- |'];
  for (const { bench, figures, ratios } of results) {
    for (const { name, value, unit } of figures) lines.push(`| ${bench} | ${name} | ${`${value} ${unit}`.trim()} | |`);
    for (const ratio of ratios) {
      const missed = isMet(ratio) ? '' : ' **missed**';
      lines.push(`| ${bench} | **${ratio.name}** | **${ratio.value}** | ${showTarget(ratio)}${missed} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** What the gate says: a line for each ratio that is not met; none when all are. */
export function listMissed(results: readonly BenchResult[]): string[] {
  return results.flatMap(({ bench, ratios }) =>
    ratios
      .filter((ratio) => !isMet(ratio))
      .map((ratio) => `${bench}: ${ratio.name} is ${ratio.value}, its target ${showTarget(ratio)}`),
  );
}

function showTarget({ target }: Ratio): string {
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

/** Keeps what was measured before and not again: benchmarks may be run one by one. @returns all that is kept. */
export function keepResults(file: string, fresh: readonly BenchResult[], order: readonly string[]): Report {
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report).results : [];
  const byName = new Map([...kept, ...fresh].map((result) => [result.bench, result]));
  const report: Report = { machine: describeMachine(), results: order.flatMap((name) => byName.get(name) ?? []) };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

function describeMachine(): Report['machine'] {
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  return { cores: availableParallelism(), cpu: cpus()[0]?.model ?? 'unknown', memoryGb, node: process.version };
}

const [BEGIN, END] = ['<!-- figures: written by npm run bench -- --document -->', '<!-- end of figures -->'];

/** Puts the table into a page, between its two marks. @throws Error when the page has none. */
export function writeIntoPage(file: string, { machine, results }: Report): void {
  const page = readFileSync(file, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${file} has no place for figures`);
  const days = [...new Set(results.map(({ measuredAt }) => measuredAt.slice(0, 10)))].sort();
  const about = `Measured ${days.join(', ')} on ${machine.cores} cores (${machine.cpu}), ${machine.memoryGb} GB, Node ${machine.node}.`;
  writeFileSync(file, `${page.slice(0, from)}${BEGIN}\n\n${about}\n\n${toTable(results)}\n${page.slice(to)}`);
}
