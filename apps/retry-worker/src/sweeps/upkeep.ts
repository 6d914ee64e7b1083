import {
  type Database,
  findConnectionsToWatch,
  findDisconnecting,
  pruneBookings,
  pruneChannels,
  pruneConnectLinks,
  pruneDeadLetters,
  pruneDeliveries,
  pruneOutbox,
  pruneProcesses,
  pruneSyncRuns,
  type UpkeepSettings,
} from '@bookiji/db';
import { type FlagBoard, mayWork } from '@bookiji/flags';
import { type QueueSystem, ringRetry } from '@bookiji/queues';
import type { Sweep } from '../sweeper.ts';

const BATCH = 200;
const HOUR_MS = 3_600_000;
/** A short retention is checked more often. */
const SWEEPS_PER_RETENTION = 10;
/** Promised for each connection, however old. */
const DELIVERIES_AT_LEAST = 100;
/** A storm does not fill the table with receipts of one connection. */
const DELIVERIES_AT_MOST = 1_000;

/** All channels are read, of which hardly any needs something: less often than work that is due. */
const TURNS = 3;

/** Asks for upkeep of every connection whose push registration is missing, about to end, silent or in doubt. */
export function sweepChannels(options: {
  readonly db: Database;
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  readonly intervalMs: number;
  readonly upkeep: UpkeepSettings;
}): Sweep {
  return {
    name: 'channels',
    intervalMs: TURNS * options.intervalMs,
    async run() {
      if (!mayWork(options.flags)) return 0;
      const ids = await findConnectionsToWatch(options.db, options.flags.allowlists, options.upkeep, BATCH);
      await ringRetry(
        options.queues,
        ids.map((id) => ({ task: 'keep_channel', connection_id: id })),
      );
      return ids.length;
    },
  };
}

/** Rings for every connection that an operator or the booking service wants disconnected and that is still there. */
export function sweepDisconnects(options: {
  readonly db: Database;
  readonly queues: QueueSystem;
  readonly intervalMs: number;
}): Sweep {
  return {
    name: 'disconnects',
    intervalMs: options.intervalMs,
    async run() {
      const ids = await findDisconnecting(options.db, BATCH);
      await ringRetry(
        options.queues,
        ids.map((id) => ({ task: 'disconnect', connection_id: id })),
      );
      return ids.length;
    },
  };
}

/**
 * Forgets receipts, runs, ended channels and ended bookings that nobody asks for any more.
 *
 * @param options `seconds` is what an operator can look back on; `bookingSeconds` is how long an ended booking is known.
 */
export function sweepRetention(options: {
  readonly db: Database;
  readonly seconds: number;
  readonly bookingSeconds: number;
}): Sweep {
  const { db, seconds, bookingSeconds } = options;
  const shortestMs = Math.min(seconds, bookingSeconds) * 1_000;
  return {
    name: 'retention',
    intervalMs: Math.min(HOUR_MS, Math.ceil(shortestMs / SWEEPS_PER_RETENTION)),
    async run() {
      const receipts = { seconds, atLeast: DELIVERIES_AT_LEAST, atMost: DELIVERIES_AT_MOST };
      return runAll([
        () => pruneDeliveries(db, receipts),
        () => pruneSyncRuns(db, seconds),
        () => pruneProcesses(db, seconds),
        () => pruneOutbox(db, seconds),
        () => pruneDeadLetters(db, seconds),
        () => pruneConnectLinks(db),
        () => pruneBookings(db, bookingSeconds),
        () => pruneChannels(db),
      ]);
    },
  };
}

/** Each of them, whatever becomes of the others; then the first failure is thrown. */
async function runAll(steps: readonly (() => Promise<number>)[]): Promise<number> {
  let done = 0;
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      done += await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return done;
}
