/** One thing that can happen next. The schedule takes it, or a fault strikes it. */
import type { Process } from './process.ts';

export type StepKind =
  | 'statement'
  | 'request'
  | 'ring'
  | 'notification'
  | 'job'
  | 'publish'
  | 'timer'
  | 'late'
  | 'owner';

export interface Step {
  readonly kind: StepKind;
  readonly label: string;
  /** Whose step it is; null for what happens in the world. */
  readonly process: Process | null;
  /** Takes effect and tells the process. */
  run(): unknown;
  /** Takes effect, and nobody hears of it. */
  runUnheard(): unknown;
  /** Tells the process that it failed, without any effect of its own. */
  fail(reason: 'refused' | 'answer_lost' | 'rate_limited' | 'timeout'): void;
  /** Lets go of what the asking process holds: it died. */
  forget?(): void;
}
