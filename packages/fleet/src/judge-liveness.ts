/** What can be said of a worker and its queue. Only `lost` is cured by a new process. */
export type LivenessState =
  /** Work or a canary came through lately. */
  | 'alive'
  /** Every place is taken by work that goes on. */
  | 'busy'
  /** Switched off by an operator: nothing is meant to come through. */
  | 'paused'
  /** The queue itself does not answer anybody; another process would find the same. */
  | 'away'
  /** The queue answers others, but nothing comes through this worker. */
  | 'lost';

export interface LivenessFacts {
  /** Since a job or canary last started or ended here, or since the worker might first have had one. */
  readonly unprovenMs: number;
  readonly isPaused: boolean;
  /** All places are taken. */
  readonly isFull: boolean;
  /** For how long a connection made afresh has found the queue; null while it does not. */
  readonly reachableMs: number | null;
}

/** Work that fills every place may go on for so many times the limit without one of them ending. */
const BUSY_AT_MOST = 20;

/**
 * Judges by what came through, never by what the worker says of itself: after an outage a worker can call itself running
 * and be deaf forever. Pure.
 *
 * @param lostAfterMs unproven for so long it is lost; a quarter of it is granted to recover once the queue is back.
 */
export function judgeLiveness(facts: LivenessFacts, lostAfterMs: number): LivenessState {
  if (facts.isPaused) return 'paused';
  if (facts.unprovenMs < lostAfterMs) return 'alive';
  if (facts.isFull && facts.unprovenMs < BUSY_AT_MOST * lostAfterMs) return 'busy';
  if (facts.reachableMs === null || facts.reachableMs < lostAfterMs / 4) return 'away';
  return 'lost';
}
