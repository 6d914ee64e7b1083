/** What a run has to end with: clean and soon up to date, or, without a defence, with just what that defence prevents. */
import type { ChaosReport } from './report/report.ts';
import { CONVERGED_WITHIN_MS } from './run-chaos.ts';

/** More than chance would leave behind. */
const SEVERAL = 3;

export function isAsItMustBe({ handicap, verdict, convergedAfterMs }: ChaosReport): boolean {
  const { counts, findings } = verdict;
  switch (handicap) {
    case null:
      return findings.length === 0 && convergedAfterMs !== null && convergedAfterMs <= CONVERGED_WITHIN_MS;
    case 'no_sweeps':
      return counts.lost > SEVERAL && convergedAfterMs === null;
    case 'provider_made_ids':
      return counts.duplicated > SEVERAL;
    case 'no_etags':
      // With etags no calendar ever goes back: one that does is proof.
      return counts.regressed > 0;
  }
}

/**
 * Clean, but up to date later than promised. A machine that did something else for a moment is late once; a fleet that is
 * slow to recover is late again.
 */
export function isOnlyLate(report: ChaosReport): boolean {
  const { handicap, verdict, convergedAfterMs } = report;
  return handicap === null && verdict.findings.length === 0 && convergedAfterMs !== null && !isAsItMustBe(report);
}
