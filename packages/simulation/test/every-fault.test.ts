import { expect, test } from '@jest/globals';
import { AWAY_MS, FAULT_KINDS, type Stories, simulate } from '../src/index.ts';
import { loadStories } from './load-stories.ts';
import { type CalendarProvider, defencesOf, MS_AT_MOST, replayLine } from './schedules.ts';

/** Workloads and orders of steps that every single fault is tried on. */
const SEEDS = Array.from({ length: Number(process.env.SIMULATION_ORDERS ?? 3) }, (_, index) => index + 1);
/** Whoever froze, or came late, goes on after so many steps of others. */
const WAKINGS = AWAY_MS.flatMap((awayMs) => [0, 4, 10].map((wakeAfterSteps) => ({ awayMs, wakeAfterSteps })));
const AT_ONCE = [{ awayMs: 0, wakeAfterSteps: 0 }];
const LASTING = ['freeze_before', 'freeze_after', 'arrive_late', 'crash_sent'];

async function strikeEverywhere(stories: Stories, calendarProvider: CalendarProvider) {
  const defences = defencesOf(calendarProvider);
  const findings: string[] = [];
  let runs = 0;
  for (const seed of SEEDS) {
    const { stepCount } = await simulate({ stories, seed, faults: [], defences });
    for (const kind of FAULT_KINDS) {
      for (const waking of LASTING.includes(kind) ? WAKINGS : AT_ONCE) {
        for (let atStep = 1; atStep <= stepCount; atStep += 1) {
          const faults = [{ kind, atStep, ...waking }];
          const result = await simulate({ stories, seed, faults, defences });
          runs += result.struck.length;
          if (result.findings.length > 0)
            findings.push(`${replayLine({ seed, calendarProvider, faults })} replays: ${result.findings.join('; ')}`);
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
  MS_AT_MOST,
);
