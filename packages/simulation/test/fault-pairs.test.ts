import { expect, test } from '@jest/globals';
import { AWAY_MS, type Doing, type Fault, type FaultKind, type Stories, simulate } from '../src/index.ts';
import { loadStories } from './load-stories.ts';
import { type CalendarProvider, defencesOf } from './schedules.ts';
import { MADE_AND_CANCELLED, MADE_AND_MOVED, MADE_CANCELLED_MADE, MADE_CANCELLED_MADE_SLOWLY } from './versions.ts';

const [, ABOUT_A_LEASE, LONG] = AWAY_MS;
const WORKLOADS: readonly [string, readonly Doing[], awayMs: number][] = [
  ['made and cancelled', MADE_AND_CANCELLED, ABOUT_A_LEASE],
  ['made and moved', MADE_AND_MOVED, ABOUT_A_LEASE],
  ['made, cancelled and made again', MADE_CANCELLED_MADE, ABOUT_A_LEASE],
  ['made, cancelled and made again before the late one arrives', MADE_CANCELLED_MADE_SLOWLY, LONG],
];
/** A writer comes too late, and whoever replaced it stands still at the worst moment: where stale writes hide. */
const LATE: readonly FaultKind[] = ['arrive_late', 'crash_sent', 'freeze_before'];
const SEEDS = (process.env.PAIR_SEEDS ?? '1').split(',').map(Number);
const WAKINGS = [0, 6];

async function strikePairs(
  stories: Stories,
  calendarProvider: CalendarProvider,
  workload: readonly Doing[],
  awayMs: number,
) {
  const defences = defencesOf(calendarProvider);
  const findings: string[] = [];
  let runs = 0;
  const run = async (seed: number, faults: readonly Fault[]) => {
    const result = await simulate({ stories, seed, faults, defences, workload });
    runs += 1;
    if (result.findings.length > 0)
      findings.push(`seed ${seed} ${JSON.stringify(faults)}: ${result.findings.join('; ')}`);
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

test.each(WORKLOADS)(
  '[O-3] a booking that is %s, with a late writer and a slow one, at every pair of steps',
  async (_, workload, awayMs) => {
    const stories = await loadStories();
    for (const calendarProvider of ['google', 'microsoft'] as const) {
      const { findings, runs } = await strikePairs(stories, calendarProvider, workload, awayMs);
      expect(findings.slice(0, 5)).toEqual([]);
      expect(runs).toBeGreaterThan(500);
    }
  },
  900_000,
);
