/**
 * Slows guessing: an address that failed too often is not even asked for its token until its minute is over. Sessions
 * that are open already go on, so nobody is thrown out by a neighbour behind the same proxy.
 */
export interface Throttle {
  /** Seconds until this address may try again; 0 when it may now. */
  waitSeconds(address: string, nowMs: number): number;
  noteFailure(address: string, nowMs: number): void;
}

interface Count {
  failures: number;
  readonly endsAt: number;
}

const WINDOW_MS = 60_000;
/** The oldest are forgotten beyond this, so that many addresses cannot fill the memory. */
const MOST_ADDRESSES = 10_000;

export function createThrottle(failuresPerMinute = 20): Throttle {
  const counts = new Map<string, Count>();
  const current = (address: string, nowMs: number) => {
    const count = counts.get(address);
    return count === undefined || count.endsAt <= nowMs ? undefined : count;
  };
  return {
    waitSeconds(address, nowMs) {
      const count = current(address, nowMs);
      return count === undefined || count.failures < failuresPerMinute ? 0 : Math.ceil((count.endsAt - nowMs) / 1000);
    },
    noteFailure(address, nowMs) {
      const count = current(address, nowMs);
      if (count !== undefined) {
        count.failures += 1;
        return;
      }
      counts.delete(address);
      counts.set(address, { failures: 1, endsAt: nowMs + WINDOW_MS });
      const [oldest] = counts.keys();
      if (counts.size > MOST_ADDRESSES && oldest !== undefined) counts.delete(oldest);
    },
  };
}
