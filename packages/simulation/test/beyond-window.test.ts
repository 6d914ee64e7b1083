import { expect, test } from '@jest/globals';
import { AWAY_MS, type Doing, type Fault, START, simulate } from '../src/index.ts';
import { loadStories } from './load-stories.ts';
import { defencesOf } from './schedules.ts';

const IN_400_DAYS = START + 400 * 86_400_000;

function announced(version: number, state: 'live' | 'cancelled', afterMs: number): Doing {
  const [startAt, endAt] = [new Date(IN_400_DAYS), new Date(IN_400_DAYS + 3_600_000)];
  const bookingId = '00000000-0000-4000-8000-00000000b001';
  return { kind: 'publish', bookingId, version, state, startAt, endAt, afterMs };
}

test.each(['google', 'microsoft'] as const)(
  '[O-3] a stray beyond the window, in no feed since the cursor was refused, is gone once the window reaches it, %s',
  async (calendarProvider) => {
    const stories = await loadStories();
    const workload = [announced(1, 'live', 0), announced(2, 'cancelled', AWAY_MS[0])];
    const healed: number[] = [];
    for (let late = 1; late <= 20; late += 1) {
      for (let refused = late + 1; refused <= 60; refused += 1) {
        const faults: Fault[] = [
          { kind: 'arrive_late', atStep: late, awayMs: AWAY_MS[2], wakeAfterSteps: 0 },
          { kind: 'expire_cursors', atStep: refused, awayMs: 0, wakeAfterSteps: 0 },
        ];
        const run = { stories, seed: 1, faults, workload, defences: defencesOf(calendarProvider) };
        const { findings, isHealedByWindow, struckAt } = await simulate(run);
        expect(findings).toEqual([]);
        if (isHealedByWindow) healed.push(refused);
        if (struckAt[0] !== late) break;
      }
    }
    expect(healed.length).toBeGreaterThan(0);
  },
);
