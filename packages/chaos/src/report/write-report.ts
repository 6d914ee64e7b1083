/** A report as two files: JSON for machines, Markdown for people. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FINDING_KINDS } from '../audit/audit.ts';
import { type ChaosReport, countStruck, sumOf } from './report.ts';

export interface WrittenReport {
  readonly json: string;
  readonly markdown: string;
}

export function writeReport(report: ChaosReport, dir: string): WrittenReport {
  mkdirSync(dir, { recursive: true });
  const written = { json: reportPath(dir, report), markdown: reportPath(dir, report, 'md') };
  writeFileSync(written.json, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(written.markdown, describeReport(report));
  return written;
}

/** Where the report of a run is written, and is read by whoever judges it. */
export function reportPath(
  dir: string,
  { handicap, seed }: Pick<ChaosReport, 'handicap' | 'seed'>,
  ending: 'json' | 'md' = 'json',
): string {
  return join(dir, `chaos-${handicap ?? 'full'}-seed-${seed}.${ending}`);
}

export function describeReport(report: ChaosReport): string {
  const { workload, verdict, seconds, providers } = report;
  const converged = report.convergedAfterMs === null ? 'never' : `${(report.convergedAfterMs / 1000).toFixed(1)} s`;
  return [
    `# Chaos run, seed ${report.seed}${report.handicap === null ? '' : `, handicap ${report.handicap}`}`,
    '',
    `Decisions ${report.digest}. ${Object.entries(report.crew)
      .map(([role, count]) => `${count} × ${role}`)
      .join(', ')}. Start ${seconds.start} s, play ${seconds.play} s, in all ${seconds.total} s.`,
    '',
    '## Verdict',
    '',
    ...table(
      ['finding', 'count'],
      FINDING_KINDS.map((kind) => [kind, verdict.counts[kind]]),
    ),
    '',
    `Up to date ${converged} after the last fault. Audited: ${verdict.audited.bookings} bookings, ` +
      `${verdict.audited.ownerEvents} events of owners, ${verdict.audited.writes} writes in the calendars' history.`,
    '',
    ...verdict.findings.slice(0, 20).map(({ kind, subject, what }) => `- ${kind}: ${subject}: ${what}`),
    ...(verdict.findings.length > 20 ? [`- and ${verdict.findings.length - 20} more`] : []),
    '## Workload',
    '',
    ...table(
      ['what', 'how many'],
      [
        ['bookings', workload.bookings],
        ['intents', workload.intents],
        ...Object.entries(workload.handedIn).map(
          ([door, counts]): Row => [
            `booking events through the ${door} (tries that failed)`,
            `${counts.accepted} (${counts.triedAgain})`,
          ],
        ),
        ['booking events published again after Redis lost its jobs', workload.saidAgain],
        ['acts of owners', workload.ownerActs],
        ['notifications, repeats and forgeries included', workload.notifications],
        ...Object.entries(workload.forgeries).map(([status, count]): Row => [`forgeries answered ${status}`, count]),
        ['calls to calendar providers', providers.requests],
      ],
    ),
    '',
    '## Faults that struck',
    '',
    ...table(['process fault', 'times'], Object.entries(countStruck(report))),
    '',
    ...table(['fault of the providers', 'times'], Object.entries(report.faults.providers)),
    '',
    '## What the fleet met',
    '',
    ...table(['what', 'times'], listTraces(report)),
    '',
    ...table(['answer of the providers (0: lost)', 'times'], Object.entries(providers.refusals).sort()),
    '',
    '## In order',
    '',
    ...report.faults.struck.map(
      ({ atMs, kind, target, evidence }) => `- ${(atMs / 1000).toFixed(1)} s ${kind} ${target}: ${evidence}`,
    ),
    '',
  ].join('\n');
}

/** What shows in the fleet's own counters that it was really struck. A killed process takes its last second along. */
export function listTraces(report: ChaosReport): [string, number][] {
  return [
    ['rings that could not be sent', sumOf(report, 'calendar_enqueue_failures_total')],
    ['jobs found again after their worker had gone', sumOf(report, 'calendar_jobs_stalled_total')],
    ['works that lost their lease', sumOf(report, 'calendar_job_attempts_total', 'outcome=lease_lost')],
    ['writes refused or found done, looked at again', sumOf(report, 'calendar_provider_requests_total', 'conflict')],
    ['notifications that were duplicates', sumOf(report, 'calendar_webhooks_total', 'outcome=duplicate')],
    ['notifications answered 503', sumOf(report, 'calendar_webhooks_total', 'outcome=unavailable')],
    ['failures of the database that were met', sumOf(report, 'calendar_store_errors_total', 'store=database')],
    ['failures of the queue that were met', sumOf(report, 'calendar_store_errors_total', 'store=queue')],
    ['full syncs', sumOf(report, 'calendar_sync_runs_total', 'mode=full')],
    ['bookings found by the sweep', sumOf(report, 'calendar_sweep_found_total', 'sweep=due_bookings')],
    ['connections found by the sweep', sumOf(report, 'calendar_sweep_found_total', 'sweep=due_connections')],
  ];
}

type Row = [string, string | number];

function table(heads: readonly [string, string], rows: readonly Row[]): string[] {
  return [`| ${heads[0]} | ${heads[1]} |`, '| --- | ---: |', ...rows.map(([name, value]) => `| ${name} | ${value} |`)];
}
