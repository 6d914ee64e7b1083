import { expect, test } from '@jest/globals';
import { AWAY_MS, type Doing, type Fault, type FaultKind, START, type Stories, simulate } from '../src/index.ts';
import { loadStories } from './load-stories.ts';
import { type CalendarProvider, defencesOf } from './schedules.ts';

const HOUR_MS = 3_600_000;

/** The first version at once; the others before the lease of whoever died or froze over the first one is over. */
function versions(...states: ('live' | 'cancelled')[]): Doing[] {
  return states.map((state, index) => ({
    kind: 'publish',
    bookingId: '00000000-0000-4000-8000-00000000b001',
    version: index + 1,
    state,
    startAt: new Date(START + (24 + index) * HOUR_MS),
    endAt: new Date(START + (25 + index) * HOUR_MS),
    afterMs: index === 0 ? 0 : AWAY_MS[0],
  }));
}

const WORKLOADS: readonly [string, Doing[]][] = [
  ['made and cancelled', versions('live', 'cancelled')],
  ['made and moved', versions('live', 'live')],
  ['made, cancelled and made again', versions('live', 'cancelled', 'live')],
];
/** A writer comes too late, and whoever replaced it stands still at the worst moment: where stale writes hide. */
const LATE: readonly FaultKind[] = ['arrive_late', 'crash_sent', 'freeze_before'];
const SEEDS = (process.env.PAIR_SEEDS ?? '1').split(',').map(Number);
const WAKINGS = [0, 3, 6, 9];

async function strikePairs(stories: Stories, calendarProvider: CalendarProvider, workload: readonly Doing[]) {
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
          const late = { kind, atStep, wakeAfterSteps, awayMs: AWAY_MS[1] };
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
  async (name, workload) => {
    const stories = await loadStories();
    for (const calendarProvider of ['google', 'microsoft'] as const) {
      const { findings, runs } = await strikePairs(stories, calendarProvider, workload);
      process.stdout.write(
        `${name} ${calendarProvider} ${runs} runs, ${findings.length} findings\n${findings.slice(0, 5).join('\n')}\n`,
      );
      expect(findings.slice(0, 5)).toEqual([]);
      expect(runs).toBeGreaterThan(500);
    }
  },
  900_000,
);
