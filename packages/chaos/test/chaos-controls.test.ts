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

describeOnRedis('a fleet without a defence is found out', () => {
  test.each(played)(
    '[O-3] [R-2] %s: %s',
    async (handicap) => {
      const report = await playedOrPlay(planRun(CONTROL_SEED, CONTROL_SIZE), {
        crew: SMALL_CREW,
        isHarsh: true,
        handicap: handicap as Handicap,
      });
      expect({ ...report.verdict.counts, isAsItMustBe: isAsItMustBe(report) }).toMatchObject({ isAsItMustBe: true });
    },
    300_000,
  );
});
