import type { Judgement } from '@bookiji/drills';
import { readFlagCeiling } from '@bookiji/flags';
import { flagFields } from '@bookiji/fleet';
import { ROOT } from '@bookiji/local-fleet';
import { loadSettings } from '@bookiji/runtime';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { EVIDENCE_FOLDER } from './drill.ts';

/** `go-no-go`: computed from evidence, nothing else. */
export function addGoNoGoCommand(program: Command, context: CommandContext): void {
  program
    .command('go-no-go')
    .description('is it fit for real providers: judged from the evidence of the drills')
    .option('--evidence <folder>', 'where the evidence lies', EVIDENCE_FOLDER)
    .addHelpText(
      'after',
      `${examples(
        ['drill --all', 'make the evidence'],
        ['go-no-go', 'GO, or NO-GO with every reason'],
        ['go-no-go --json', 'for a pipeline'],
      )}

GO asks for every drill: passed, unaltered, younger than a day, from the very commit that is checked out here, without
changes. Evidence of a running fleet (drill --target, with --ops-url) counts where all its processes say that they run
that commit (CALSYNC_COMMIT). In production an empty provider allowlist is NO-GO as well: with NODE_ENV=production, or unset with a DATABASE_URL.
Exit 1 on NO-GO.`,
    )
    .action(async (options: { evidence: string }) => {
      const { ALL_DRILLS, CHECKLIST, judgeEvidence, readEvidence, readSourceState } = await import('@bookiji/drills');
      const source = readSourceState(ROOT);
      const judged = judgeEvidence({
        checklist: CHECKLIST,
        drills: ALL_DRILLS,
        read: (drill) => readEvidence(options.evidence, drill),
        source,
        now: context.now(),
      });
      const { verdict, items, remarks } = withProduction(context, judged);
      context.output.result({ verdict, commit: source.commit, clean: source.isClean, items, remarks }, () =>
        [
          ...items.flatMap((item) => [
            `${item.verdict.padEnd(5)}  ${item.name}: ${item.title}`,
            ...item.problems.map((problem) => `         ${problem}`),
          ]),
          '',
          ...remarks.flatMap((remark) => [`NOTE   ${remark}`, '']),
          `${verdict}  ${source.commit.slice(0, 12)}`,
        ].join('\n'),
      );
      if (verdict === 'NO-GO') context.exit(EXIT.no);
    });
}

/**
 * Production unless NODE_ENV says otherwise, as for every process. Where it says nothing, and no database is named either,
 * this is a checkout with its own embedded one, which serves nobody.
 */
function isProduction({ NODE_ENV: given, DATABASE_URL: database }: CommandContext['environment']): boolean {
  return given ? given === 'production' : Boolean(database);
}

/** In production only people on a list are served at first. */
function withProduction({ environment }: CommandContext, judged: Judgement): Judgement {
  if (!isProduction(environment)) return judged;
  const { providerIds } = readFlagCeiling(loadSettings(flagFields, environment));
  const problems = providerIds === null ? ['CALENDAR_ALLOWLIST_PROVIDER_IDS is empty: everybody would be served'] : [];
  const isGo = problems.length === 0;
  const item = {
    name: 'allowlist-set',
    title: 'production serves a list',
    verdict: isGo ? 'GO' : 'NO-GO',
    problems,
  } as const;
  return { verdict: isGo ? judged.verdict : 'NO-GO', items: [...judged.items, item], remarks: judged.remarks };
}
