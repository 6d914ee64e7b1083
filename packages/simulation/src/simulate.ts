/** One run: a seed, the faults that strike, the defences that are up, and what the auditor says at its end. */
import { audit } from './audit.ts';
import { FAULT_KINDS, type Fault, type FaultKind } from './faults.ts';
import { type Defences, Fleet, LEASE_MS, type Stories } from './fleet.ts';
import { Machine } from './machine.ts';
import { createRandom } from './random.ts';
import { type Doing, makeWorkload, START } from './workload.ts';

export const ALL_DEFENCES = {
  calendarProvider: 'google',
  honoursKeys: true,
  honoursEtags: true,
  sweeps: true,
  isFenced: true,
} as const satisfies Defences;

export interface SimulationOptions {
  readonly stories: Stories;
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly defences?: Defences;
  readonly isTraced?: boolean;
  /** Instead of the seed's own. */
  readonly workload?: readonly Doing[];
}

export interface SimulationResult {
  readonly findings: readonly string[];
  readonly stepCount: number;
  readonly struck: readonly FaultKind[];
  readonly struckAt: readonly number[];
  readonly trace: readonly string[];
}

/** A run that takes more steps than this will not come to rest. */
const STEPS_AT_MOST = 3_000;

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const random = createRandom(options.seed);
  const workload = options.workload ?? makeWorkload(random);
  const { faults, stories, isTraced = false, defences = ALL_DEFENCES } = options;
  const machine = new Machine(START, { random, faults, isTraced });
  const fleet = new Fleet({ machine, stories, defences, workload, random });
  const isQuiet = await withMachineTime(machine, async () => {
    if (!(await machine.runUntilQuiet(fleet, STEPS_AT_MOST))) return false;
    // What notifications did not tell is found by the look that every connection gets anyway.
    fleet.allowReconcile();
    return machine.runUntilQuiet(fleet, STEPS_AT_MOST);
  });
  await endOfTurn();
  const { calendar, server, surprises } = fleet;
  const findings = [
    ...(isQuiet ? [] : ['[R-2] the fleet does not come to rest']),
    ...surprises.map((error) => `an error that no fault explains: ${String(error)}`),
    ...audit({ workload, calendar, tables: server.tables }),
  ];
  return {
    findings,
    stepCount: machine.stepCount,
    struck: machine.struck,
    struckAt: machine.struckAt,
    trace: machine.trace,
  };
}

/** Between runs the real event loop turns once, so that what the run's signals held can be forgotten. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Leases are kept by timers: during a run those are the machine's. */
async function withMachineTime<T>(machine: Machine, body: () => Promise<T>): Promise<T> {
  const real = { setInterval, clearInterval, performance };
  Object.assign(globalThis, {
    setInterval: (fire: () => void, everyMs: number) => machine.every(fire, everyMs),
    clearInterval: (handle: unknown) => machine.cancel(handle),
  });
  Object.defineProperty(globalThis, 'performance', { value: { now: () => machine.localTime() }, configurable: true });
  try {
    return await body();
  } finally {
    Object.assign(globalThis, { setInterval: real.setInterval, clearInterval: real.clearInterval });
    Object.defineProperty(globalThis, 'performance', { value: real.performance, configurable: true });
  }
}

/** Within a lease, about as long as one, and long after it. */
export const AWAY_MS = [LEASE_MS / 4, LEASE_MS, 3 * LEASE_MS] as const;

/** The faults of a random schedule: chosen by its seed, like everything else in it. */
export function randomFaults(seed: number, count: number): Fault[] {
  const random = createRandom(seed ^ 0x5eed);
  return Array.from({ length: count }, () => ({
    kind: random.pick(FAULT_KINDS),
    atStep: 1 + random.below(60),
    awayMs: random.pick(AWAY_MS),
    wakeAfterSteps: random.below(16),
  }));
}
