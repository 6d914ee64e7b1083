export { canStrike, FAULT_KINDS, type Fault, type FaultKind } from './faults.ts';
export type { Defences, Stories } from './fleet.ts';
export {
  ALL_DEFENCES,
  randomFaults,
  type SimulationOptions,
  type SimulationResult,
  simulate,
} from './simulate.ts';
export { AWAY_MS } from './timing.ts';
export { type Announcement, type Doing, START } from './workload.ts';
