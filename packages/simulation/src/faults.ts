/** What can go wrong at one step of a schedule, and at which steps it can. */
import type { Step, StepKind } from './step.ts';

export const FAULT_KINDS = [
  /** The process is killed before the step takes effect; a request is never sent. */
  'crash_before',
  /** The process is killed after the step took effect, before it hears of it. */
  'crash_after',
  /** The process is killed with its request on the way: it takes effect some time later. */
  'crash_sent',
  /** The process freezes before the step, perhaps past its lease, and wakes up among other people's steps. */
  'freeze_before',
  /** The same, after the step took effect. */
  'freeze_after',
  /** The step is refused: database away, or the calendar answers 503. */
  'refuse',
  /** The step takes effect, and its answer is lost. */
  'lose_answer',
  /** The calendar asks for patience. */
  'rate_limit',
  /** The caller gives up waiting, and the request takes effect some time later. */
  'arrive_late',
  /** The process is told to stop. */
  'shut_down',
  /** The process's own clock jumps five minutes ahead. */
  'clock_jump',
  /** A ring, a notification or a delivery is lost. */
  'drop',
  /** It arrives twice. */
  'double',
  /** All queues are emptied. */
  'flush',
  /** Every cursor given out so far is refused. */
  'expire_cursors',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** The first step it may strike at. */
  readonly atStep: number;
  /** For what freezes or is late: how long it stays away at least, milliseconds. */
  readonly awayMs: number;
  /** For what freezes or is late: how many steps of others pass after its time before it goes on. */
  readonly wakeAfterSteps: number;
}

const ANYWHERE: readonly FaultKind[] = ['flush', 'expire_cursors'];
const IN_PROCESS: readonly FaultKind[] = [
  'crash_before',
  'crash_after',
  'freeze_before',
  'freeze_after',
  'shut_down',
  'clock_jump',
];
const BY_STEP: Readonly<Record<StepKind, readonly FaultKind[]>> = {
  statement: [...IN_PROCESS, 'refuse', 'lose_answer'],
  request: [...IN_PROCESS, 'crash_sent', 'refuse', 'lose_answer', 'rate_limit', 'arrive_late'],
  ring: ['crash_before', 'crash_after', 'refuse', 'drop', 'double'],
  notification: ['drop', 'double'],
  job: ['drop', 'double'],
  publish: ['double'],
  timer: [],
  late: [],
  owner: [],
};

export function canStrike(kind: FaultKind, step: Pick<Step, 'kind'>): boolean {
  return ANYWHERE.includes(kind) || BY_STEP[step.kind].includes(kind);
}
