/** Every failpoint times kill -9 and SIGSTOP on real processes, at both calendar providers. */
import { beforeAll, expect, test } from '@jest/globals';
import { type FailpointRun, listCases, runFailpoints } from '../src/failpoints/run-failpoints.ts';
import { describeOnRedis } from './describe-on-redis.ts';

const cases = listCases(process.env.CALSYNC_FULL === '1');

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
    expect(run.verdict.audited.bookings).toBeGreaterThan(60);
    expect(run.verdict.audited.ownerEvents).toBeGreaterThan(30);
  });
});
