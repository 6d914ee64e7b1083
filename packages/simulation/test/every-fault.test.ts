import { expect, test } from '@jest/globals';
import { FAULT_KINDS, type Stories, simulate } from '../src/index.ts';
import { loadStories } from './load-stories.ts';
import { type CalendarProvider, defencesOf } from './schedules.ts';

/** Workloads and orders of steps that every single fault is tried on. */
const SEEDS = [1, 2, 3, 4, 5, 6];
/** Whoever froze, or came late, goes on after so many steps of others. */
const WAKINGS = [0, 2, 5, 9, 14];
const LASTING = ['freeze_before', 'freeze_after', 'arrive_late', 'crash_sent'];

async function strikeEverywhere(stories: Stories, calendarProvider: CalendarProvider) {
  const defences = defencesOf(calendarProvider);
  const findings: string[] = [];
  let runs = 0;
  for (const seed of SEEDS) {
    const { stepCount } = await simulate({ stories, seed, faults: [], defences });
    for (const kind of FAULT_KINDS) {
      for (const wakeAfterSteps of LASTING.includes(kind) ? WAKINGS : [0]) {
        for (let atStep = 1; atStep <= stepCount; atStep += 1) {
          const result = await simulate({ stories, seed, faults: [{ kind, atStep, wakeAfterSteps }], defences });
          runs += result.struck.length;
          const place = `seed ${seed}, ${kind} at step ${atStep}, waking after ${wakeAfterSteps}`;
          if (result.findings.length > 0) findings.push(`${place}: ${result.findings.join('; ')}`);
        }
      }
    }
  }
  return { findings: findings.slice(0, 10), runs };
}

test.each<CalendarProvider>(['google', 'microsoft'])(
  '[O-3] [I-5] [R-2] every single fault at every single step of a run, %s',
  async (calendarProvider) => {
    const { findings, runs } = await strikeEverywhere(await loadStories(), calendarProvider);
    expect(findings).toEqual([]);
    expect(runs).toBeGreaterThan(5_000);
  },
  600_000,
);
