import { type Database, takeSweepTurn } from '@bookiji/db';
import { withDeadline } from '@bookiji/runtime';

/** One periodic search. It may run on several processes at once without harm; turns only save the work. */
export interface Sweep {
  readonly name: string;
  readonly intervalMs: number;
  /** Returns how much was found. */
  run(): Promise<number>;
}

export interface SweeperOptions {
  readonly db: Database;
  readonly owner: string;
  readonly sweeps: readonly Sweep[];
  readonly random: () => number;
  /** A sweep that takes longer is left to itself, milliseconds (5 minutes). */
  readonly sweepAtMostMs?: number;
  readonly onSwept: (sweep: string, found: number, durationMs: number) => void;
  readonly onError: (sweep: string, error: unknown) => void;
}

const SWEEP_AT_MOST_MS = 5 * 60_000;

/**
 * The fleet's clock: a timer in the process and a turn in PostgreSQL, never a queue's scheduler, since losing the queue
 * is what sweeps are for. Whoever takes the turn sweeps; more workers do not mean more sweeps. One that never ends does not
 * keep the next from its turn.
 */
export function createSweeper(options: SweeperOptions) {
  const timers = new Map<string, NodeJS.Timeout>();
  const running = new Set<Promise<void>>();
  let isStopped = false;

  const schedule = (sweep: Sweep) => {
    if (isStopped) return;
    // A little early or late, so that processes started together do not ask together forever.
    const delay = sweep.intervalMs * (0.9 + options.random() * 0.2);
    timers.set(
      sweep.name,
      setTimeout(() => {
        const turn = takeTurnInTime(options, sweep).finally(() => {
          running.delete(turn);
          schedule(sweep);
        });
        running.add(turn);
      }, delay),
    );
  };

  return {
    start(): void {
      for (const sweep of options.sweeps) schedule(sweep);
    },
    async stop(): Promise<void> {
      isStopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running);
    },
  };
}

async function takeTurnInTime(options: SweeperOptions, sweep: Sweep): Promise<void> {
  const { sweepAtMostMs = SWEEP_AT_MOST_MS } = options;
  const turn = takeTurn(options, sweep);
  try {
    await withDeadline(turn, sweepAtMostMs, `the sweep did not end within ${sweepAtMostMs} ms`);
  } catch (error) {
    options.onError(sweep.name, error);
  }
}

async function takeTurn(options: SweeperOptions, sweep: Sweep): Promise<void> {
  const startedAt = performance.now();
  try {
    // The turn ends a little before the next timer can fire, so that one process alone keeps its rhythm.
    const intervalMs = sweep.intervalMs * 0.8;
    if (!(await takeSweepTurn(options.db, { name: sweep.name, owner: options.owner, intervalMs }))) return;
    options.onSwept(sweep.name, await sweep.run(), performance.now() - startedAt);
  } catch (error) {
    options.onError(sweep.name, error);
  }
}
