import { expect, test } from '@jest/globals';
import { type Fault, randomFaults, simulate } from '../src/index.ts';
import { loadStories } from './load-stories.ts';
import { type CalendarProvider, defencesOf, runSeed } from './schedules.ts';
import { WORKLOADS, type WorkloadName } from './workloads.ts';

const {
  SIMULATION_SEED: seed,
  SIMULATION_CALENDAR: calendarProvider = 'google',
  SIMULATION_FAULTS: faults,
  SIMULATION_WORKLOAD: workload,
} = process.env;

// A tool for whoever has a failing seed: without one there is nothing to replay.
(seed === undefined ? test.skip : test)('the schedule of SIMULATION_SEED, step by step', async () => {
  const result = await simulate({
    stories: await loadStories(),
    seed: Number(seed),
    faults: faults === undefined ? randomFaults(Number(seed), 2) : (JSON.parse(faults) as Fault[]),
    defences: defencesOf(calendarProvider as CalendarProvider),
    isTraced: true,
    ...(workload === undefined ? {} : { workload: WORKLOADS[workload as WorkloadName] }),
  });
  process.stdout.write(`${result.trace.join('\n')}\n`);
  expect(result.findings).toEqual([]);
});

test('[O-3] a seed gives the same run again, step by step', async () => {
  const stories = await loadStories();
  const first = await runSeed(stories, 7, defencesOf('google'), true);
  expect(first.trace.length).toBeGreaterThan(20);
  expect((await runSeed(stories, 7, defencesOf('google'), true)).trace).toEqual(first.trace);
});
