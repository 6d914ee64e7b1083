import { type Database, takeDueAudits } from '@bookiji/db';
import { type FlagBoard, mayWork } from '@bookiji/flags';
import { type QueueSystem, ringRetry } from '@bookiji/queues';
import type { Sweep } from '../sweeper.ts';

const INTERVAL_MS = 10_000;
/** A full listing each: some forty thousand connections a day, and never a burst. */
const BATCH = 5;

/** Has every connection's calendar held against the database once in its interval. */
export function sweepAudits(options: {
  readonly db: Database;
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  readonly intervalSeconds: number;
}): Sweep {
  const { db, flags, queues, intervalSeconds } = options;
  return {
    name: 'audits',
    intervalMs: INTERVAL_MS,
    async run() {
      if (!mayWork(flags)) return 0;
      const due = await takeDueAudits(db, flags.allowlists, { intervalSeconds, limit: BATCH });
      await ringRetry(
        queues,
        due.map((id) => ({ task: 'audit', connection_id: id })),
      );
      return due.length;
    },
  };
}
