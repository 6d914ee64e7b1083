/**
 * Runs that must fail: each lacks one defence, and the auditor must say what that defence prevents. Every change has one
 * of them, `npm run chaos -- --controls` and `CALSYNC_FULL=1` have all.
 */
import { expect, test } from '@jest/globals';
import { isAsItMustBe } from '../src/judge-run.ts';
import type { Handicap } from '../src/plan/handicap.ts';
import { planRun } from '../src/plan/plan-run.ts';
import { CONTROL_SEED, CONTROL_SIZE } from '../src/plan/sizes.ts';
import { SMALL_CREW } from '../src/run-chaos.ts';
import { describeOnRedis } from './describe-on-redis.ts';
import { playedOrPlay } from './played-or-play.ts';

const LACKS = {
  no_etags: 'without etags, a late update puts an older version over a newer one',
  no_sweeps: 'without sweeps, work whose ring was lost is never done',
  provider_made_ids: 'with ids of the provider’s making, a create whose answer was lost is written twice',
} as const satisfies Record<Handicap, string>;
const played = Object.entries(LACKS).slice(0, process.env.CALSYNC_FULL === '1' ? undefined : 1);

/** How the processes' steps fall is left to chance, so one day may end well without a defence; hardly three. */
const DAYS = 3;

describeOnRedis('a fleet without a defence is found out', () => {
  test.each(played)(
    '[O-3] [R-2] %s: %s',
    async (name) => {
      const handicap = name as Handicap;
      const unnoticed: string[] = [];
      for (let day = 0; day < DAYS; day += 1) {
        const plan = planRun(CONTROL_SEED + day, CONTROL_SIZE);
        const report = await playedOrPlay(plan, { crew: SMALL_CREW, isHarsh: true, handicap });
        if (isAsItMustBe(report)) break;
        unnoticed.push(JSON.stringify({ seed: report.seed, ...report.verdict.counts }));
      }
      expect(unnoticed.length < DAYS ? [] : unnoticed).toEqual([]);
    },
    300_000,
  );
});
