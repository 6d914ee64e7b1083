import type { LivenessState } from './judge-liveness.ts';

/** What a process's workers say of themselves, for its health route. */
export interface LivenessBoard {
  /** A worker through which nothing comes for so long is lost, milliseconds. */
  readonly lostAfterMs: number;
  add(queue: string, read: () => LivenessState): void;
  /** By queue. */
  states(): Record<string, LivenessState>;
}

export function createLivenessBoard(lostAfterMs: number): LivenessBoard {
  const readers = new Map<string, () => LivenessState>();
  return {
    lostAfterMs,
    add: (queue, read) => void readers.set(queue, read),
    states: () => Object.fromEntries([...readers].map(([queue, read]) => [queue, read()])),
  };
}
