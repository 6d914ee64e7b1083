import { expect, test } from '@jest/globals';
import { FAULT_KINDS } from '../src/index.ts';
import { playSchedules } from './play-schedules.ts';
import { explain, FIRST_SEED, MS_AT_MOST, SCHEDULES } from './schedules.ts';

test(
  '[O-3] [I-2] [R-2] any two faults, anywhere, in any order of steps: the google calendar and the database agree in the end',
  async () => {
    const count = Math.ceil(SCHEDULES / 2);
    const tally = await playSchedules('google', FIRST_SEED, count);
    expect(explain(tally, 'google')).toEqual([]);
    // What decision 0015 leaves to the window is rare, or it is something else.
    expect(tally.healedByWindow).toBeLessThan(10 + count / 5_000);
    // A fault that never strikes proves nothing.
    for (const kind of FAULT_KINDS) expect(tally.struck.get(kind) ?? 0).toBeGreaterThan(count / 50);
  },
  MS_AT_MOST,
);
