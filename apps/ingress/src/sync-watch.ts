/** Waiting for syncs to be done: one look at the database for everybody who waits, however many they are. */
import type { SyncProgress } from '@bookiji/db';

export interface SyncWatch {
  /**
   * Waits until each connection has applied what was requested of it until now, or will not soon, or the time is over.
   *
   * @returns those whose sync began after this call and succeeded.
   */
  untilSynced(connectionIds: readonly string[], withinMs: number): Promise<string[]>;
}

interface Waiter {
  readonly start: ReadonlyMap<string, SyncProgress>;
  readonly missing: Set<string>;
  readonly synced: string[];
  readonly resolve: (synced: string[]) => void;
  readonly until: number;
}

const LOOK_EVERY_MS = 50;

/** @param read of these connections; those that are gone are left out. */
export function createSyncWatch(read: (connectionIds: readonly string[]) => Promise<SyncProgress[]>): SyncWatch {
  const waiters = new Set<Waiter>();
  let isLooking = false;

  const look = async () => {
    const ids = new Set([...waiters].flatMap(({ missing }) => [...missing]));
    // While the database is away nothing is known to be synced; the time ends the wait.
    const now = await read([...ids]).then(byId, () => null);
    for (const waiter of waiters) {
      if (now !== null) settle(waiter, now);
      if (waiter.missing.size > 0 && performance.now() < waiter.until) continue;
      waiters.delete(waiter);
      waiter.resolve(waiter.synced);
    }
    isLooking = waiters.size > 0;
    if (isLooking) setTimeout(() => void look(), LOOK_EVERY_MS);
  };

  return {
    async untilSynced(connectionIds, withinMs) {
      const start = byId(await read(connectionIds));
      return new Promise((resolve) => {
        const until = performance.now() + withinMs;
        waiters.add({ start, missing: new Set(start.keys()), synced: [], resolve, until });
        if (isLooking) return;
        isLooking = true;
        setTimeout(() => void look(), LOOK_EVERY_MS);
      });
    },
  };
}

function settle({ start, missing, synced }: Waiter, now: ReadonlyMap<string, SyncProgress>): void {
  for (const id of missing) {
    const [before, after] = [start.get(id), now.get(id)];
    if (before === undefined || after === undefined || !after.isActive) missing.delete(id);
    else if (after.applied >= before.requested) {
      missing.delete(id);
      synced.push(id);
      // A failure is waited out by others; it will not get better in a few seconds.
    } else if (after.errorCount > before.errorCount) missing.delete(id);
  }
}

function byId(progress: readonly SyncProgress[]): Map<string, SyncProgress> {
  return new Map(progress.map((one) => [one.id, one]));
}
