/** The chaos run of every change: all of `npm run chaos`, everything going wrong, and an auditor. */
import { beforeAll, expect, test } from '@jest/globals';
import { planRun } from '../src/plan/plan-run.ts';
import { FULL_SIZE } from '../src/plan/sizes.ts';
import { type ChaosReport, countStruck } from '../src/report/report.ts';
import { listTraces } from '../src/report/write-report.ts';
import { CI_CREW, CONVERGED_WITHIN_MS } from '../src/run-chaos.ts';
import { describeOnRedis } from './describe-on-redis.ts';
import { playedOrPlay } from './played-or-play.ts';

const NONE = { lost: 0, duplicated: 0, unexpected: 0, stale: 0, regressed: 0, unfinished: 0 };

describeOnRedis('a fleet under chaos', () => {
  let report: ChaosReport;
  beforeAll(async () => {
    report = await playedOrPlay(planRun(1, FULL_SIZE), { crew: CI_CREW });
  }, 900_000);

  test('[O-3] [I-2] [R-2] loses, doubles, invents and outdates nothing, at no moment', () => {
    expect(report.verdict.findings.slice(0, 10)).toEqual([]);
    expect(report.verdict.counts).toEqual(NONE);
  });

  test('[R-2] is up to date again soon after the last fault', () => {
    expect(report.convergedAfterMs).toBeLessThanOrEqual(CONVERGED_WITHIN_MS);
  });

  test('had a full day: thousands of bookings, intents and notifications', () => {
    expect(report.verdict.audited.bookings).toBeGreaterThanOrEqual(4_000);
    expect(report.workload.intents).toBeGreaterThanOrEqual(8_000);
    expect(report.workload.notifications).toBeGreaterThanOrEqual(20_000);
    expect(report.verdict.audited.ownerEvents).toBeGreaterThanOrEqual(500);
  });

  test('was really struck by every kind of process fault, again and again', () => {
    const struck = countStruck(report);
    for (const [kind, planned] of Object.entries(FULL_SIZE.processFaults)) {
      expect([kind, struck[kind] ?? 0]).toEqual([kind, expect.any(Number)]);
      expect(struck[kind]).toBeGreaterThanOrEqual(planned - 2);
    }
    const total = Object.keys(FULL_SIZE.processFaults).reduce((sum, kind) => sum + (struck[kind] ?? 0), 0);
    expect(total).toBeGreaterThanOrEqual(50);
  });

  test('was really struck by every fault of the calendar providers', () => {
    const missing = Object.entries(report.faults.providers).filter(([, count]) => count < 3);
    expect(missing).toEqual([]);
    expect(Object.keys(countStruck(report))).toEqual(expect.arrayContaining(Object.keys(FULL_SIZE.providerOrders)));
  });

  test('met what the faults cause: lost rings, jobs found again, refused writes, 503s', () => {
    const unseen = listTraces(report).filter(([, count]) => count === 0);
    expect(unseen).toEqual([]);
    const conflicts = Object.entries(report.providers.refusals).filter(([answer]) => / (412|409)$/.test(answer));
    expect(conflicts.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(10);
  });

  test('believed no forgery', () => {
    const { 401: refused = 0, ...others } = report.workload.forgeries;
    expect(refused).toBeGreaterThan(2_000);
    expect(Object.keys(others).filter((status) => status !== '0' && status !== '503')).toEqual([]);
  });
});
