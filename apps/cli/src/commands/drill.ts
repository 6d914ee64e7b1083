import { join, relative } from 'node:path';
import type { Drill, Evidence } from '@bookiji/drills';
import { ROOT } from '@bookiji/local-fleet';
import { loadSettings, pick } from '@bookiji/runtime';
import type { Command } from 'commander';
import { parseUuid } from '../arguments.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext } from '../context.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { renderTable } from '../output.ts';

/** Git-ignored; `go-no-go` looks there. */
export const EVIDENCE_FOLDER = join(ROOT, 'evidence');
/** What says nothing about the commit that is checked out here may not take the place of what does. */
const EVIDENCE_OF_RUNNING_FLEETS = join(EVIDENCE_FOLDER, 'running-fleet');

interface DrillOptions {
  readonly all?: boolean;
  readonly list?: boolean;
  readonly evidence?: string;
  readonly target?: string;
  readonly opsUrl?: string;
  readonly sandboxUrl?: string;
  readonly token?: string;
  readonly opsToken?: string;
  readonly provider?: string[];
}

/** `drill [name…] | --all`: executable scenarios with evidence. */
export function addDrillCommand(program: Command, context: CommandContext): void {
  program
    .command('drill')
    .description('play scenarios against a fleet of its own, or the calm ones against a running fleet')
    .argument('[name...]', 'drills; all of them without a name')
    .option('--all', 'all of them, as without a name')
    .option('--list', 'only tell which there are')
    .option(
      '--evidence <folder>',
      'where the evidence goes (evidence; of a running fleet that does not run this commit evidence/running-fleet)',
    )
    .option('--target <url>', 'ingress of a running fleet; what would disturb it is left out')
    .option('--ops-url <url>', 'its ops; without it the drills that ask ops are left out')
    .option('--sandbox-url <url>', 'its sandbox, where its calendar providers are one')
    .option('--token <token>', 'for its ingress (the first of API_TOKENS)')
    .option('--ops-token <token>', 'for its ops (the first of OPS_TOKENS)')
    .option('--provider <id...>', 'test providers on its allowlist; made-up ones otherwise')
    .addHelpText(
      'after',
      `${examples(
        ['drill --all', 'everything, with a fleet of its own (minutes)'],
        ['drill replay-storm database-outage', 'two of them'],
        ['drill --list', 'which there are, and what they prove'],
        ['drill --target https://calendar.staging.example', 'what disturbs nobody, against staging'],
      )}

Each drill leaves a JSON and a Markdown file: what was done, what was observed, verdict, commit, time.
A fleet of its own has its own database, Redis, sandbox and ports, and is gone afterwards.
Exit 1 when a drill fails. docs/drills.md says more.`,
    )
    .action((names: string[], options: DrillOptions) => runDrillCommand(context, names, options));
}

async function runDrillCommand(context: CommandContext, names: string[], options: DrillOptions): Promise<void> {
  // Loaded here alone: other commands need not wait for it.
  const { ALL_DRILLS, playDrills, readSourceState } = await import('@bookiji/drills');
  const drills = chooseDrills(ALL_DRILLS, names);
  if (options.list === true) return tellDrills(context, drills);
  const { output, now } = context;
  const bar = output.progress('drills', drills.length);
  const isOfThisCommit = ({ target: { kind, commits }, commit }: Evidence) =>
    kind === 'local' || String(commits) === commit;
  const folderOf = (evidence: Evidence) =>
    options.evidence ?? (isOfThisCommit(evidence) ? EVIDENCE_FOLDER : EVIDENCE_OF_RUNNING_FLEETS);
  let finished = 0;
  const running = new Set<string>();
  const target = await openTarget(context, options);
  const stopListening = stopOnSignal(target);
  try {
    const { evidence, skipped } = await playDrills(drills, target, {
      now,
      evidenceFolder: folderOf,
      readSource: () => readSourceState(ROOT),
      onStarted: ({ name }) => {
        running.add(name);
        bar.show(finished, [...running].join(', '));
      },
      onFinished: ({ drill, verdict, duration_ms: ms, observations }) => {
        finished += 1;
        running.delete(drill);
        bar.end();
        output.note(`${verdict}  ${drill}  ${(ms / 1000).toFixed(1)} s`);
        for (const one of observations) {
          if (!one.ok)
            output.note(`      ${one.what}: ${JSON.stringify(one.observed)}, not ${JSON.stringify(one.expected)}`);
        }
        bar.show(finished, [...running].join(', '));
      },
    });
    bar.end();
    const [evidenceFolder = options.evidence ?? EVIDENCE_FOLDER, ...others] = [...new Set(evidence.map(folderOf))];
    const folders = [evidenceFolder, ...others].map((folder) => relative(process.cwd(), folder) || '.').join(' and ');
    const document = {
      drills: evidence.map((one) => ({
        name: one.drill,
        verdict: one.verdict,
        title: one.title,
        proves: one.proves,
        duration_ms: one.duration_ms,
        failed: one.observations.filter(({ ok }) => !ok).map(({ what }) => what),
      })),
      skipped,
      evidence: evidenceFolder,
    };
    const failed = evidence.filter(({ verdict }) => verdict !== 'PASS').length;
    output.result(document, () =>
      [
        ...skipped.map(({ name, reasons }) => `left out  ${name}: ${reasons.join(', ')}`),
        `${evidence.length - failed} passed, ${failed} failed; evidence in ${folders}`,
      ].join('\n'),
    );
    if (failed > 0) context.exit(EXIT.no);
    if (evidence.length > 0) return;
    output.note('none of these drills can be played against this target');
    context.exit(EXIT.no);
  } finally {
    stopListening();
    await target.stop();
  }
}

/** Ctrl-C takes the drills' own fleet along. */
function stopOnSignal(target: { stop(): Promise<void> }): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const stop = () => void target.stop().finally(() => process.exit(130));
  for (const signal of signals) process.once(signal, stop);
  return () => {
    for (const signal of signals) process.removeListener(signal, stop);
  };
}

function chooseDrills(all: readonly Drill[], names: readonly string[]): readonly Drill[] {
  if (names.length === 0) return all;
  const unknown = names.filter((name) => !all.some((drill) => drill.name === name));
  if (unknown.length > 0)
    throw new CommandError(`there is no drill ${unknown.join(', ')}; see drill --list`, EXIT.usage);
  return all.filter(({ name }) => names.includes(name));
}

function tellDrills({ output }: CommandContext, drills: readonly Drill[]): void {
  output.result(
    { drills: drills.map(({ name, title, proves, needs, phase }) => ({ name, title, proves, needs, phase })) },
    () =>
      renderTable(
        ['drill', 'proves', 'what holds when it passes'],
        drills.map(({ name, title, proves }) => [name, proves.join(' '), title]),
      ),
  );
}

async function openTarget({ environment, output }: CommandContext, options: DrillOptions) {
  const { openRemoteTarget, startLocalTarget } = await import('@bookiji/drills');
  if (options.target === undefined) {
    return startLocalTarget({ environment, onNews: (line) => output.note(line) });
  }
  const firstToken = (name: 'API_TOKENS' | 'OPS_TOKENS') =>
    environment[name] ? loadSettings(pick(name), environment)[name][0] : undefined;
  const apiToken = options.token ?? firstToken('API_TOKENS');
  if (apiToken === undefined) throw new CommandError('a running fleet wants --token or API_TOKENS', EXIT.usage);
  return openRemoteTarget({
    ingressUrl: parseUrl('--target', options.target),
    opsUrl: options.opsUrl === undefined ? null : parseUrl('--ops-url', options.opsUrl),
    sandboxUrl: options.sandboxUrl === undefined ? null : parseUrl('--sandbox-url', options.sandboxUrl),
    apiToken,
    opsToken: options.opsToken ?? firstToken('OPS_TOKENS') ?? null,
    providerIds: (options.provider ?? []).map((id) => parseUuid('--provider', id)),
  });
}

/** Without credentials in it, for it is written to the evidence. */
function parseUrl(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new CommandError(`${name} must be an http(s) URL without credentials`, EXIT.usage);
  return url.href.replace(/\/+$/, '');
}
