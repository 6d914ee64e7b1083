/** Time as policies need it, so that no test waits for a real second. */
export interface Timers {
  /** Milliseconds that never go back; only differences mean something. */
  now(): number;
  /** Runs `task` once after `ms`. @returns calls it off. */
  schedule(ms: number, task: () => void): () => void;
}

export const systemTimers: Timers = {
  now: () => performance.now(),
  schedule(ms, task) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
};
