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
import type { FlagBoard } from '@bookiji/flags';
import { type QueueSystem, ringRetry } from '@bookiji/queues';
import type { Sweep } from '../sweeper.ts';

const BATCH = 200;
const HOUR_MS = 3_600_000;
/** A short retention is checked more often. */
const SWEEPS_PER_RETENTION = 10;
/** At least the last hundred keys of a connection are promised; a storm keeps no more than this. */
const DELIVERIES_PER_CONNECTION = 1_000;

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
      if (!options.flags.isOn('CALENDAR_JOBS_ENABLED') || !options.flags.isOn('CALENDAR_SYNC_ENABLED')) return 0;
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
      const receipts = await pruneDeliveries(db, { seconds, perConnection: DELIVERIES_PER_CONNECTION });
      await pruneSyncRuns(db, seconds);
      await pruneProcesses(db, seconds);
      await pruneOutbox(db, seconds);
      await pruneDeadLetters(db, seconds);
      await pruneConnectLinks(db);
      const bookings = await pruneBookings(db, bookingSeconds);
      return receipts + bookings + (await pruneChannels(db));
    },
  };
}
