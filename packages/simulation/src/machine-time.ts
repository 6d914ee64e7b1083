/**
 * Leases are kept by timers and judged by the local clock: during a run both are the machine's. The globals are replaced
 * once and ask who is running, since replacing them for every run leaks the old ones and everything compiled against them.
 */
import type { Machine } from './machine.ts';

let running: Machine | null = null;
let isInstalled = false;

export async function withMachineTime<T>(machine: Machine, body: () => Promise<T>): Promise<T> {
  if (running !== null) throw new Error('one run at a time: they share the clock');
  if (!isInstalled) install();
  running = machine;
  // Errors are answers here, millions of them, and nobody reads where they came from.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await body();
  } finally {
    running = null;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function install(): void {
  isInstalled = true;
  const { setInterval: realSet, clearInterval: realClear } = globalThis;
  const realNow = performance.now.bind(performance);
  Object.assign(globalThis, {
    setInterval: (fire: () => void, everyMs: number) =>
      running === null ? realSet(fire, everyMs) : running.every(fire, everyMs),
    clearInterval: (handle: NodeJS.Timeout) => (running === null ? realClear(handle) : running.cancel(handle)),
  });
  const now = () => (running === null ? realNow() : running.localTime());
  Object.defineProperty(performance, 'now', { value: now, configurable: true, writable: true });
}
