import { type Database, findDueConnections, requestDueReconciles } from '@bookiji/db';
import { type FlagBoard, mayWork, switchName } from '@bookiji/flags';
import { QUEUE_NAMES, type QueueSystem, ringInboundSyncs } from '@bookiji/queues';
import type { Sweep } from '../sweeper.ts';

export interface DueConnectionsOptions {
  readonly db: Database;
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  readonly intervalMs: number;
}

/** At most so many rings per turn: the rest is still due at the next one. */
const BATCH = 500;

/** Rings for every connection with work whose wait is over: lost rings, ended backoffs, parked work. */
export function sweepDueConnections(options: DueConnectionsOptions): Sweep {
  return {
    name: 'due_connections',
    intervalMs: options.intervalMs,
    async run() {
      if (!mayWork(options.flags) || !options.flags.isSwitchOn(switchName('queue', QUEUE_NAMES.inboundSync))) return 0;
      const due = await findDueConnections(options.db, options.flags.allowlists, BATCH);
      await ringInboundSyncs(options.queues, due);
      return due.length;
    },
  };
}

/** Asks for a look at every connection that has not been looked at for its interval: notifications are hints. */
export function sweepReconciles(options: DueConnectionsOptions & { readonly reconcileSeconds: number }): Sweep {
  return {
    name: 'reconciles',
    intervalMs: options.intervalMs,
    run: () => requestDueReconciles(options.db, options.flags.allowlists, options.reconcileSeconds, BATCH),
  };
}
