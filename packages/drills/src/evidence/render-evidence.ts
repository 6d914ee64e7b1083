import { SCENARIOS } from '../requirements.ts';
import type { Evidence } from './evidence.ts';

/** Evidence for people. Pure: the same evidence is always the same text. */
export function renderEvidence(evidence: Evidence): string {
  const { drill, title, proves, verdict, commit, clean, target, steps, observations } = evidence;
  const failed = observations.filter(({ ok }) => !ok).length;
  return `${[
    `# ${drill}: ${verdict}`,
    '',
    `${title}.`,
    '',
    `- target: ${target.description} (${target.kind})`,
    ...(target.commits === undefined ? [] : [`- commits of the fleet: ${target.commits.join(', ')}`]),
    `- commit: \`${commit}\`${clean ? '' : ', with changes that are in no commit'}`,
    `- time: ${evidence.started_at} to ${evidence.finished_at}, ${(evidence.duration_ms / 1000).toFixed(1)} s`,
    `- observations: ${observations.length}, otherwise than expected: ${failed}`,
    '',
    '## What it proves',
    '',
    ...proves.map((id) => `- ${id}: ${(SCENARIOS as Readonly<Record<string, string>>)[id] ?? ''}`),
    '',
    '## What was done',
    '',
    ...steps.map(({ at, did, figures }) => `- ${timeOf(at)} ${cell(did)}${listFigures(figures)}`),
    '',
    '## What was observed',
    '',
    '| | what | observed | expected |',
    '| --- | --- | --- | --- |',
    ...observations.map(
      ({ ok, what, observed, expected }) =>
        `| ${ok ? 'ok' : '**no**'} | ${cell(what)} | ${cell(show(observed))} | ${cell(show(expected))} |`,
    ),
  ].join('\n')}\n`;
}

function listFigures(figures: Evidence['steps'][number]['figures']): string {
  const parts = Object.entries(figures).map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function timeOf(at: string): string {
  return at.slice(11, 23);
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
