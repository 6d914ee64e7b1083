export { canStrike, FAULT_KINDS, type Fault, type FaultKind } from './faults.ts';
export type { Defences, Stories } from './fleet.ts';
export {
  ALL_DEFENCES,
  AWAY_MS,
  randomFaults,
  type SimulationOptions,
  type SimulationResult,
  simulate,
} from './simulate.ts';
export { type Announcement, type Doing, START } from './workload.ts';
