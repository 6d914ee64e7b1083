import {
  ALL_DEFENCES,
  type Defences,
  type Fault,
  type FaultKind,
  randomFaults,
  type SimulationResult,
  type Stories,
  simulate,
} from '../src/index.ts';
import type { WorkloadName } from './workloads.ts';

export type CalendarProvider = Defences['calendarProvider'];

export interface Schedules {
  readonly stories: Stories;
  readonly defences: Defences;
  readonly fromSeed: number;
  readonly count: number;
}

export interface Tally {
  /** What the auditor found, by seed. */
  readonly failures: readonly { readonly seed: number; readonly findings: readonly string[] }[];
  readonly struck: ReadonlyMap<FaultKind, number>;
  readonly stepCount: number;
  /** How many were right only once the window had reached what lay beyond it (decision 0015). */
  readonly healedByWindow: number;
}

/** How many random schedules a whole test run takes, over both calendar providers, and from which seed on. */
export const SCHEDULES = Number(process.env.SIMULATION_SCHEDULES ?? 100_000);
export const FIRST_SEED = Number(process.env.SIMULATION_FIRST_SEED ?? 1);

/** More than any machine needs; a long run may take its time. */
export const MS_AT_MOST = 600_000 + 20 * SCHEDULES;

/** The random schedule of one seed: two faults, struck anywhere. */
export function runSeed(
  stories: Stories,
  seed: number,
  defences: Defences,
  isTraced = false,
): Promise<SimulationResult> {
  return simulate({ stories, seed, faults: randomFaults(seed, 2), defences, isTraced });
}

export async function runSeeds({ stories, defences, fromSeed, count }: Schedules): Promise<Tally> {
  const failures: { seed: number; findings: readonly string[] }[] = [];
  const struck = new Map<FaultKind, number>();
  let stepCount = 0;
  let healedByWindow = 0;
  for (let seed = fromSeed; seed < fromSeed + count; seed += 1) {
    const result = await runSeed(stories, seed, defences);
    stepCount += result.stepCount;
    if (result.isHealedByWindow) healedByWindow += 1;
    for (const kind of result.struck) struck.set(kind, (struck.get(kind) ?? 0) + 1);
    if (result.findings.length > 0) failures.push({ seed, findings: result.findings });
  }
  return { failures, struck, stepCount, healedByWindow };
}

/** The first seed from 1 on whose run ends with such a finding; null when `atMost` seeds show none. */
export async function findSeed(
  stories: Stories,
  defences: Defences,
  finding: RegExp,
  atMost: number,
): Promise<number | null> {
  for (let seed = 1; seed <= atMost; seed += 1) {
    const { findings } = await runSeed(stories, seed, defences);
    if (findings.some((one) => finding.test(one))) return seed;
  }
  return null;
}

export function defencesOf(calendarProvider: CalendarProvider): Defences {
  return { ...ALL_DEFENCES, calendarProvider };
}

/** How to run one schedule again, step by step (README.md). */
export function replayLine(schedule: {
  readonly seed: number;
  readonly calendarProvider: CalendarProvider;
  readonly faults?: readonly Fault[];
  readonly workload?: WorkloadName;
}): string {
  const { seed, calendarProvider, faults, workload } = schedule;
  return [
    `SIMULATION_SEED=${seed} SIMULATION_CALENDAR=${calendarProvider}`,
    ...(faults === undefined ? [] : [`SIMULATION_FAULTS='${JSON.stringify(faults)}'`]),
    ...(workload === undefined ? [] : [`SIMULATION_WORKLOAD='${workload}'`]),
  ].join(' ');
}

/** Empty when all is well; else what to look at, and how. */
export function explain({ failures }: Tally, calendarProvider: CalendarProvider): string[] {
  return failures
    .slice(0, 10)
    .map(({ seed, findings }) => `${replayLine({ seed, calendarProvider })} replays: ${findings.join('; ')}`);
}
