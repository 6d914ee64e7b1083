/** FP20: PostgreSQL's primary crashes in the middle of a storm, and its replica takes its place. */
import { describe, expect, test } from '@jest/globals';
import { planRun } from '../../src/plan/plan-run.ts';
import { type ChaosReport, countStruck } from '../../src/report/report.ts';
import { CONVERGED_WITHIN_MS, runChaos, SMALL_CREW } from '../../src/run-chaos.ts';
import { type ReplicatedPostgres, startReplicatedPostgres } from './replicated-postgres.ts';
import { stormSize } from './sizes.ts';

const SEED = 11;

/** @returns the report, and which server's life it ended in. */
async function playFailover(isSynchronous: boolean): Promise<ChaosReport & { timeline: number }> {
  const plan = planRun(SEED, stormSize({ postgres_crash: 1, kill: 1 }));
  let server: ReplicatedPostgres | null = null;
  let timeline = 0;
  const startPostgres = async (dir: string) => {
    server = await startReplicatedPostgres(dir, isSynchronous);
    return server;
  };
  const watch = async () => async () => {
    timeline = (await server?.timeline()) ?? 0;
  };
  const report = await runChaos(plan, { crew: SMALL_CREW, stores: { startPostgres }, watch });
  expect(countStruck(report)).toMatchObject({ postgres_crash: 1, kill: 1 });
  return { ...report, timeline };
}

describe('[R-2] [O-3] [I-2] a failover to the replica in a storm', () => {
  test('loses and doubles nothing when commits wait for the replica, however far it is behind', async () => {
    const report = await playFailover(true);
    expect(report.timeline).toBe(2);
    expect(report.verdict.findings).toEqual([]);
    expect(report.verdict.audited).toMatchObject({ bookings: 300 });
    expect(report.convergedAfterMs).toBeLessThan(CONVERGED_WITHIN_MS);
  }, 240_000);

  test('loses what was thanked for in the last moment when they do not, and the auditor sees it', async () => {
    const report = await playFailover(false);
    expect(report.timeline).toBe(2);
    const { lost, stale, duplicated } = report.verdict.counts;
    expect(lost + stale).toBeGreaterThan(0);
    // What was written to calendars in that moment is found there and not written again.
    expect(duplicated).toBe(0);
  }, 240_000);
});
