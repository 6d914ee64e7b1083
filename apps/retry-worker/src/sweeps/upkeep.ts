import {
  type Database,
  findConnectionsToWatch,
  findDisconnecting,
  pruneChannels,
  pruneConnectLinks,
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
/** What an operator can look back on. */
const RETENTION_DAYS = 7;
/** At least the last hundred keys of a connection are promised; a storm keeps no more than this. */
const DELIVERIES_PER_CONNECTION = 1_000;

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
    intervalMs: options.intervalMs,
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

/** Rings for every connection that an operator wants disconnected and that is still there. */
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

/** Forgets receipts, runs and ended channels that nobody asks for any more. */
export function sweepRetention(options: { readonly db: Database }): Sweep {
  return {
    name: 'retention',
    intervalMs: HOUR_MS,
    async run() {
      const receipts = await pruneDeliveries(options.db, {
        days: RETENTION_DAYS,
        perConnection: DELIVERIES_PER_CONNECTION,
      });
      await pruneSyncRuns(options.db, RETENTION_DAYS);
      await pruneProcesses(options.db, RETENTION_DAYS);
      await pruneOutbox(options.db, RETENTION_DAYS);
      await pruneConnectLinks(options.db);
      return receipts + (await pruneChannels(options.db));
    },
  };
}
