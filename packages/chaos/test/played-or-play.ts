import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@bookiji/local-fleet';
import type { RunPlan } from '../src/plan/plan-run.ts';
import { FULL_SIZE } from '../src/plan/sizes.ts';
import type { ChaosReport } from '../src/report/report.ts';
import { reportPath, writeReport } from '../src/report/write-report.ts';
import { type ChaosOptions, runChaos } from '../src/run-chaos.ts';

/**
 * The report of such a run. `npm test` plays the large one before everything else, since a fleet under chaos wants the machine to
 * itself, and says where the reports are (`CALSYNC_CHAOS_REPORTS`); without that it is played here.
 */
export async function playedOrPlay(plan: RunPlan, options: ChaosOptions): Promise<ChaosReport> {
  const played = process.env.CALSYNC_CHAOS_REPORTS;
  if (played !== undefined && plan.size === FULL_SIZE) {
    const path = reportPath(played, { seed: plan.seed, handicap: options.handicap ?? null });
    const report = JSON.parse(readFileSync(path, 'utf8')) as ChaosReport;
    if (report.digest !== plan.digest) throw new Error(`${path} tells of another run`);
    return report;
  }
  const report = await runChaos(plan, options);
  writeReport(report, join(ROOT, '.bookiji', 'chaos'));
  return report;
}
