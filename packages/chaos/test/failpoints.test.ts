/**
 * Failpoints on real processes: with every change each point one way, kill -9 or SIGSTOP, and where it is open what the
 * calendar provider did both ways at both; `CALSYNC_FAILPOINTS=both` strikes each both ways, `all` at both providers.
 */
import { beforeAll, expect, test } from '@jest/globals';
import { type FailpointExtent, type FailpointRun, listCases, runFailpoints } from '../src/failpoints/run-failpoints.ts';
import { describeOnRedis } from './describe-on-redis.ts';

const asked = process.env.CALSYNC_FAILPOINTS ?? (process.env.CALSYNC_FULL === '1' ? 'all' : 'each');
const extent: FailpointExtent = asked === 'all' || asked === 'both' ? asked : 'each';
const cases = listCases(extent);

describeOnRedis('processes struck at every point', () => {
  let run: FailpointRun;
  beforeAll(async () => {
    run = await runFailpoints(cases);
  }, 400_000);

  test.each(cases.map(({ name }) => name))('[R-2] %s: hit, taken over by others, healed', (name) => {
    expect(run.outcomes.get(name)).toMatchObject({ isHit: true, isTakenOver: true, isHealed: true, trouble: null });
  });

  test('[O-3] [I-2] nothing was lost, doubled, invented or put back to an older version at any moment', () => {
    expect(run.verdict.findings).toEqual([]);
    expect(run.verdict.audited.bookings).toBeGreaterThan(cases.length / 3);
    expect(run.verdict.audited.ownerEvents).toBeGreaterThan(cases.length / 6);
  });
});
