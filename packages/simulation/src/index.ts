export { FAULT_KINDS, type Fault, type FaultKind } from './faults.ts';
export type { Defences, Stories } from './fleet.ts';
export {
  ALL_DEFENCES,
  randomFaults,
  type SimulationResult,
  simulate,
} from './simulate.ts';
export { AWAY_MS } from './timing.ts';
export { type Doing, START } from './workload.ts';
