import { expect, test } from '@jest/globals';
import { AWAY_MS, type Fault, type FaultKind, type Stories, simulate } from '../src/index.ts';
import { loadStories } from './load-stories.ts';
import { type CalendarProvider, defencesOf, MS_AT_MOST, replayLine } from './schedules.ts';
import { WORKLOADS, type WorkloadName } from './workloads.ts';

const [, ABOUT_A_LEASE, LONG] = AWAY_MS;
const CASES: readonly [WorkloadName, awayMs: number][] = [
  ['made and cancelled', ABOUT_A_LEASE],
  ['made and moved', ABOUT_A_LEASE],
  ['made, cancelled and made again', ABOUT_A_LEASE],
  ['made, cancelled and made again before the late one arrives', LONG],
];
/** A writer comes too late, and whoever replaced it stands still at the worst moment: where stale writes hide. */
const LATE: readonly FaultKind[] = ['arrive_late', 'crash_sent', 'freeze_before'];
const SEEDS = Array.from({ length: Number(process.env.SIMULATION_PAIR_ORDERS ?? 1) }, (_, index) => index + 1);
const WAKINGS = [0, 6];

async function strikePairs(stories: Stories, calendarProvider: CalendarProvider, name: WorkloadName, awayMs: number) {
  const defences = defencesOf(calendarProvider);
  const findings: string[] = [];
  let runs = 0;
  const run = async (seed: number, faults: readonly Fault[]) => {
    const result = await simulate({ stories, seed, faults, defences, workload: WORKLOADS[name] });
    runs += 1;
    if (result.findings.length > 0)
      findings.push(
        `${replayLine({ seed, calendarProvider, faults, workload: name })} replays: ${result.findings.join('; ')}`,
      );
    return result;
  };
  for (const seed of SEEDS) {
    for (const kind of LATE) {
      for (const wakeAfterSteps of WAKINGS) {
        for (let atStep = 1; atStep <= 30; atStep += 1) {
          const late = { kind, atStep, wakeAfterSteps, awayMs };
          const { stepCount, struckAt } = await run(seed, [late]);
          if (struckAt[0] !== atStep) continue;
          for (let stallAt = atStep + 1; stallAt <= stepCount; stallAt += 1) {
            const slow = { kind: 'freeze_before', atStep: stallAt, wakeAfterSteps: 16, awayMs: AWAY_MS[0] } as const;
            await run(seed, [late, slow]);
          }
        }
      }
    }
  }
  return { findings, runs };
}

test.each(CASES)(
  '[O-3] a booking that is %s, with a late writer and a slow one, at every pair of steps',
  async (name, awayMs) => {
    const stories = await loadStories();
    for (const calendarProvider of ['google', 'microsoft'] as const) {
      const { findings, runs } = await strikePairs(stories, calendarProvider, name, awayMs);
      expect(findings.slice(0, 5)).toEqual([]);
      expect(runs).toBeGreaterThan(500);
    }
  },
  MS_AT_MOST,
);
