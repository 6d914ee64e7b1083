/**
 * `npm run chaos -- [--seed N] [--times N] [--runs N] [--out folder]`
 * `npm run chaos -- --handicap no_sweeps|provider_made_ids|no_etags` or `--controls` for all of them, and none
 *
 * Ends with 0 when every run was as it must be: clean without a handicap, found out with one.
 */
import { parseArgs } from 'node:util';
import { isAsItMustBe, isOnlyLate } from './judge-run.ts';
import { HANDICAPS, type Handicap } from './plan/handicap.ts';
import { planRun } from './plan/plan-run.ts';
import { CONTROL_SEED, CONTROL_SIZE, FULL_SIZE, scaleSize } from './plan/sizes.ts';
import type { ChaosReport } from './report/report.ts';
import { describeReport, writeReport } from './report/write-report.ts';
import { CI_CREW, runChaos, SMALL_CREW } from './run-chaos.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    times: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    handicap: { type: 'string' },
    controls: { type: 'boolean', default: false },
    out: { type: 'string', default: '.bookiji/chaos' },
  },
});
const isControl = values.controls || values.handicap !== undefined;
const handicaps: readonly (Handicap | null)[] = values.controls
  ? [null, ...HANDICAPS]
  : [HANDICAPS.find((known) => known === values.handicap) ?? null];
if (values.handicap !== undefined && handicaps[0] === null) {
  process.stderr.write(`chaos: a handicap is one of ${HANDICAPS.join(', ')}\n`);
  process.exit(2);
}
const size = scaleSize(isControl ? CONTROL_SIZE : FULL_SIZE, Number(values.times));
const firstSeed = Number(values.seed ?? (isControl ? CONTROL_SEED : 1));
const seeds = Array.from({ length: Number(values.runs) }, (_, at) => firstSeed + at);
let isAllAsItMustBe = true;
// Whoever ends this early must not leave a frozen fleet behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

for (const seed of seeds) {
  for (const handicap of handicaps) {
    const report = await play(seed, handicap);
    const { json, markdown } = writeReport(report, values.out);
    const isFine = isAsItMustBe(report);
    isAllAsItMustBe &&= isFine;
    process.stdout.write(
      `${describeReport(report)}\n${json}\n${markdown}\n${isFine ? 'As it must be' : 'NOT AS IT MUST BE'}\n`,
    );
  }
}
process.exit(isAllAsItMustBe ? 0 : 1);

/** What is wrong counts at once. What is only late is played once more, and counts when it is late again. */
async function play(seed: number, handicap: Handicap | null): Promise<ChaosReport> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const options = { crew: isControl ? SMALL_CREW : CI_CREW, handicap, isHarsh: isControl, onProgress: say };
  const report = await runChaos(planRun(seed, size), options);
  if (!isOnlyLate(report)) return report;
  say(`clean, but up to date only ${report.convergedAfterMs} ms after the last fault; once more`);
  return runChaos(planRun(seed, size), options);
}
