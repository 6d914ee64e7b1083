import { beforeAll, describe, expect, test } from '@jest/globals';
import { AWAY_MS, type Defences, type Stories, simulate } from '../src/index.ts';
import { loadStories } from './load-stories.ts';
import { type CalendarProvider, defencesOf, findSeed } from './schedules.ts';
import { WORKLOADS } from './workloads.ts';

/** Every missing defence is missed long before; the first seeds that show it are a few to some thousands. */
const SEEDS_AT_MOST = 20_000;

let stories: Stories;
beforeAll(async () => {
  stories = await loadStories();
});

/** Without a defence, the same schedules end with such a finding. */
const CONTROLS: readonly [string, Partial<Defences>, RegExp][] = [
  ['[R-2] a booking that nobody carries on when nobody sweeps', { sweeps: false }, /is (live|cancelled) and shown/],
  ['[I-2] busy time that nobody reads when nobody sweeps', { sweeps: false }, /the calendar says/],
  [
    '[O-3] a second event when ids are made up by the calendar provider',
    { honoursKeys: false },
    /is live and shown [2-9] times/,
  ],
  ['[O-3] an old version over a new one when no etag is asked for', { honoursEtags: false }, /went from version/],
  [
    '[O-3] what a late writer left behind when hints of the feed are not heeded',
    { heedsHints: false },
    /is (live|cancelled) and shown [1-9] times/,
  ],
  ['[O-1] a record of what is over when no token is checked', { isFenced: false }, /has the mapping/],
];

describe.each<CalendarProvider>(['google', 'microsoft'])(
  'the auditor sees, with the %s calendar,',
  (calendarProvider) => {
    test.each(CONTROLS)(
      '%s',
      async (_, missing, finding) => {
        const defences = { ...defencesOf(calendarProvider), ...missing };
        const seed = await findSeed(stories, defences, finding, SEEDS_AT_MOST);
        expect(seed).not.toBeNull();
      },
      120_000,
    );
  },
);

test('[O-3] the auditor sees the event that a late writer created under a key that Graph alone still shows', async () => {
  const defences = { ...defencesOf('microsoft'), remembersKeys: false };
  const workload = WORKLOADS['made, cancelled and made again before the late one arrives'];
  const findings = new Set<string>();
  for (let atStep = 1; atStep <= 30; atStep += 1) {
    const late = { kind: 'arrive_late', atStep, awayMs: AWAY_MS[2], wakeAfterSteps: 0 } as const;
    const run = { stories, seed: 1, faults: [late], workload };
    expect((await simulate({ ...run, defences: defencesOf('microsoft') })).findings).toEqual([]);
    for (const finding of (await simulate({ ...run, defences })).findings) findings.add(finding);
  }
  expect([...findings].join('; ')).toMatch(/is live and shown 2 times/);
});
