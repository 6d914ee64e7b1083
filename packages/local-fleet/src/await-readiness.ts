import { setTimeout as sleep } from 'node:timers/promises';

/** A process that says nothing is asked all the same. */
const ASKED_EVERY_MS = 250;

export interface Readiness {
  /** Notes that a process said something. */
  hear(role: string): void;
  /**
   * Resolves when the process can do its work. It is asked when it says something, which it does when it is ready:
   * asking all the time would take the processor from those that start.
   *
   * @throws Error naming the process when `withinMs` pass first.
   */
  of(role: string, readyUrl: string, withinMs: number): Promise<void>;
}

export function createReadiness(): Readiness {
  const wakes = new Map<string, () => void>();
  return {
    hear: (role) => wakes.get(role)?.(),
    async of(role, readyUrl, withinMs) {
      const until = performance.now() + withinMs;
      for (;;) {
        const heard = new Promise<void>((resolve) => wakes.set(role, resolve));
        if (await isReady(readyUrl)) return;
        if (performance.now() > until) throw new Error(`waited ${withinMs} ms in vain: ${role} to be ready`);
        const timer = new AbortController();
        await Promise.race([heard, sleep(ASKED_EVERY_MS, undefined, { signal: timer.signal }).catch(() => undefined)]);
        timer.abort();
      }
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
