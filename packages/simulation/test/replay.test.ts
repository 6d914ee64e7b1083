import { expect, test } from '@jest/globals';
import { loadStories } from './load-stories.ts';
import { type CalendarProvider, defencesOf, runSeed } from './schedules.ts';

const seed = process.env.SIMULATION_SEED;
const calendarProvider = (process.env.SIMULATION_CALENDAR ?? 'google') as CalendarProvider;

(seed === undefined ? test.skip : test)('the schedule of SIMULATION_SEED, step by step', async () => {
  const result = await runSeed(await loadStories(), Number(seed), defencesOf(calendarProvider), true);
  process.stdout.write(`${result.trace.join('\n')}\n`);
  expect(result.findings).toEqual([]);
});

test('[O-3] a seed gives the same run again, step by step', async () => {
  const stories = await loadStories();
  const first = await runSeed(stories, 7, defencesOf('google'), true);
  expect(first.trace.length).toBeGreaterThan(20);
  expect((await runSeed(stories, 7, defencesOf('google'), true)).trace).toEqual(first.trace);
});
