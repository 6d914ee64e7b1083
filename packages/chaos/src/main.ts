/**
 * `npm run chaos -- [--seed N] [--times N] [--runs N] [--handicap no_sweeps|provider_made_ids|no_etags] [--out folder]`
 *
 * Ends with 0 when every run was as it must be: clean without a handicap, found out with one.
 */
import { parseArgs } from 'node:util';
import type { Handicap } from './plan/handicap.ts';
import { planRun } from './plan/plan-run.ts';
import { CI_SIZE, CONTROL_SIZE, scaleSize } from './plan/sizes.ts';
import { describeReport, writeReport } from './report/write-report.ts';
import { CI_CREW, CONVERGED_WITHIN_MS, runChaos, SMALL_CREW } from './run-chaos.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    times: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    handicap: { type: 'string' },
    out: { type: 'string', default: '.bookiji/chaos' },
  },
});
const handicap = (values.handicap ?? null) as Handicap | null;
const size = scaleSize(handicap === null ? CI_SIZE : CONTROL_SIZE, Number(values.times));
const firstSeed = Number(values.seed);
let isAsItMustBe = true;
// Whoever ends this early must not leave a frozen fleet behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

for (let seed = firstSeed; seed < firstSeed + Number(values.runs); seed += 1) {
  const report = await runChaos(planRun(seed, size), {
    crew: handicap === null ? CI_CREW : SMALL_CREW,
    handicap,
    isHarsh: handicap !== null,
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const { json, markdown } = writeReport(report, values.out);
  const isClean = report.verdict.findings.length === 0;
  const isInTime = report.convergedAfterMs !== null && report.convergedAfterMs <= CONVERGED_WITHIN_MS;
  isAsItMustBe &&= handicap === null ? isClean && isInTime : !isClean;
  process.stdout.write(`${describeReport(report)}\n${json}\n${markdown}\n`);
}
process.exit(isAsItMustBe ? 0 : 1);
