/** One run: a seed, the faults that strike, the defences that are up, and what the auditor says at its end. */
import { auditBookings, auditRest } from './audit.ts';
import { FAULT_KINDS, type Fault, type FaultKind } from './faults.ts';
import { type Defences, Fleet, type Stories } from './fleet.ts';
import { Machine } from './machine.ts';
import { withMachineTime } from './machine-time.ts';
import { createRandom } from './random.ts';
import { AWAY_MS } from './timing.ts';
import { BEYOND_REACHED, type Doing, makeWorkload, START } from './workload.ts';

export const ALL_DEFENCES = {
  calendarProvider: 'google',
  honoursKeys: true,
  honoursEtags: true,
  sweeps: true,
  isFenced: true,
  heedsHints: true,
  remembersKeys: true,
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
  /** Something was wrong beyond the window in sync, and right once the window reached it (decision 0015). */
  readonly isHealedByWindow: boolean;
}

/** A run that takes more steps than this will not come to rest. */
const STEPS_AT_MOST = 3_000;

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const random = createRandom(options.seed);
  const workload = options.workload ?? makeWorkload(random);
  const { faults, stories, isTraced = false, defences = ALL_DEFENCES } = options;
  const machine = new Machine(START, { random, faults, isTraced });
  const fleet = new Fleet({ machine, stories, defences, workload, random });
  const { findings, isHealedByWindow } = await withMachineTime(machine, () => runAndAudit(machine, fleet, workload));
  await endOfTurn();
  const { stepCount, struck, struckAt, trace } = machine;
  return { findings, stepCount, struck, struckAt, trace, isHealedByWindow };
}

async function runAndAudit(machine: Machine, fleet: Fleet, workload: readonly Doing[]) {
  const run = { workload, calendar: fleet.calendar, tables: () => fleet.server.tables };
  const isQuiet = (await rest(machine, fleet)) && (await lookAgain(machine, fleet));
  const other = [
    ...(isQuiet ? [] : ['[R-2] the fleet does not come to rest']),
    ...fleet.surprises.map((error) => `an error that no fault explains: ${String(error)}`),
    ...auditRest(run),
  ];
  const wrong = auditBookings(run);
  const findings = [...other, ...wrong];
  if (other.length > 0 || wrong.length === 0 || !fleet.hasEventsBeyondWindow()) {
    return { findings, isHealedByWindow: false };
  }
  machine.passUntil(BEYOND_REACHED);
  await lookAgain(machine, fleet);
  const left = [...auditRest(run), ...auditBookings(run)];
  return { findings: left, isHealedByWindow: left.length === 0 };
}

const rest = (machine: Machine, fleet: Fleet) => machine.runUntilQuiet(fleet, STEPS_AT_MOST);

/** What notifications did not tell is found by the look that every connection gets anyway. */
function lookAgain(machine: Machine, fleet: Fleet): Promise<boolean> {
  fleet.allowReconcile();
  return rest(machine, fleet);
}

const RUNS_PER_TURN = 20;
let runs = 0;

/** Now and then the real event loop turns once, so that what the runs' signals held can be forgotten. */
async function endOfTurn(): Promise<void> {
  runs += 1;
  if (runs % RUNS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
}

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
