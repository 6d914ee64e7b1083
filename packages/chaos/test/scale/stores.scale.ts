/** A storm of bookings and notifications on the stores of a production: pooled, replicated, sharded. */
import { startPgBouncer, startRedisCluster, startRedisSentinel } from '@bookiji/testing';
import { describe, expect, test } from '@jest/globals';
import { planRun, type RunSize } from '../../src/plan/plan-run.ts';
import { type ChaosReport, countStruck, sumOf } from '../../src/report/report.ts';
import { type ChaosOptions, CONVERGED_WITHIN_MS, runChaos, SMALL_CREW } from '../../src/run-chaos.ts';
import type { StageOptions } from '../../src/stage/open-stage.ts';
import { stormSize } from './sizes.ts';

const SEED = 7;
const POOL = 12;

async function playStorm(
  faults: Partial<RunSize['processFaults']>,
  stores: Pick<StageOptions, 'startRedis' | 'startPooler'>,
  watch?: ChaosOptions['watch'],
): Promise<ChaosReport> {
  const plan = planRun(SEED, stormSize(faults));
  const report = await runChaos(plan, { crew: SMALL_CREW, stores, ...(watch === undefined ? {} : { watch }) });
  expect(report.verdict.findings).toEqual([]);
  expect(report.verdict.audited).toMatchObject({ bookings: 300 });
  expect(report.verdict.audited.ownerEvents).toBeGreaterThan(30);
  expect(report.convergedAfterMs).toBeLessThan(CONVERGED_WITHIN_MS);
  expect(countStruck(report)).toMatchObject(faults);
  return report;
}

describe('[R-2] [O-3] [I-2] nothing is lost and nothing doubled in a storm', () => {
  test('behind PgBouncer in transaction mode, although workers are killed and PostgreSQL crashes', async () => {
    let sessions = 0;
    await playStorm(
      { kill: 3, postgres_crash: 1 },
      { startPooler: (url) => startPgBouncer(url, { poolSize: POOL }) },
      async ({ sql }) =>
        async () => {
          const [row] = await sql<{ sessions: number }[]>`
          SELECT count(*)::int AS sessions FROM pg_stat_activity
           WHERE application_name LIKE '%-worker' OR application_name = 'ingress'`;
          sessions = row?.sessions ?? 0;
        },
    );
    // They really shared: the five processes alone may open a hundred.
    expect(sessions).toBeGreaterThan(0);
    expect(sessions).toBeLessThanOrEqual(POOL);
  }, 240_000);

  test('on Sentinel, although the master is killed twice', async () => {
    const report = await playStorm({ redis_kill: 2, kill: 1 }, { startRedis: startRedisSentinel });
    // It was met: something was rung while there was no master.
    expect(sumOf(report, 'calendar_store_errors_total', 'store=queue')).toBeGreaterThan(0);
  }, 240_000);

  test('on a cluster of three, although the node with the queues is killed', async () => {
    const report = await playStorm({ redis_kill: 1, kill: 1 }, { startRedis: startRedisCluster });
    expect(sumOf(report, 'calendar_store_errors_total', 'store=queue')).toBeGreaterThan(0);
  }, 240_000);
});
