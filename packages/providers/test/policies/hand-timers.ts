import type { Timers } from '../../src/policies/index.ts';

/** Time that a test moves by hand. */
export interface HandTimers extends Timers {
  /** Lets time pass, step by step, with everything that falls due on the way. */
  pass(ms: number): Promise<void>;
}

export function handTimers(): HandTimers {
  let now = 0;
  const tasks = new Set<{ readonly at: number; readonly run: () => void }>();
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  return {
    now: () => now,
    schedule(ms, run) {
      const task = { at: now + ms, run };
      tasks.add(task);
      return () => tasks.delete(task);
    },
    async pass(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const [next] = [...tasks].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        tasks.delete(next);
        now = Math.max(now, next.at);
        next.run();
        await settle();
      }
      now = end;
    },
  };
}
