import {
  type BrakeSettings,
  brakeDeletions,
  type Database,
  type ExternalChange,
  findDueEffects,
  listUnpublishedChanges,
  renewHeldLetters,
} from '@bookiji/db';
import { type FlagBoard, mayWork, switchName } from '@bookiji/flags';
import { QUEUE_NAMES, type QueueSystem, ringOutboundSyncs } from '@bookiji/queues';
import type { Sweep } from '../sweeper.ts';

const BATCH = 500;

/** Rings for every booking whose event is due: lost rings, ended waits, parked work, asked-for reads. */
export function sweepDueBookings(options: {
  readonly db: Database;
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  readonly intervalMs: number;
}): Sweep {
  return {
    name: 'due_bookings',
    intervalMs: options.intervalMs,
    async run() {
      const { flags } = options;
      if (!mayWork(flags)) return 0;
      // What a shadow run has planned and logged once need not be planned again every few seconds.
      if (flags.isShadowing() || !flags.isSwitchOn(switchName('queue', QUEUE_NAMES.outboundSync))) return 0;
      const due = await findDueEffects(options.db, flags.allowlists, BATCH);
      await ringOutboundSyncs(
        options.queues,
        due.map((effect) => ({ booking_id: effect.bookingId, connection_id: effect.connectionId })),
      );
      return due.length;
    },
  };
}

/** A person deletes one or two events; a whole calendar is emptied by a mistake or a script. */
const BRAKE: BrakeSettings = { deletions: 5, minutes: 2 };

/**
 * Tells recorded changes whose time has come, after the brake has looked at them. Where it failed nothing is told of a
 * deletion, and the sweep says so once the others are told.
 */
export function sweepUnpublishedChanges(options: {
  readonly db: Database;
  readonly intervalMs: number;
  /** `DELETION_GRACE_SECONDS`. */
  readonly graceSeconds: number;
  readonly publishChanges: (changes: readonly ExternalChange[]) => Promise<void>;
  /** Connections whose deletions wait for a person from now on. */
  readonly onHeld: (connectionIds: readonly string[]) => void;
}): Sweep {
  const { db, graceSeconds } = options;
  return {
    name: 'unpublished_changes',
    intervalMs: options.intervalMs,
    async run() {
      const { held, failed } = await brakeDeletions(db, BRAKE);
      if (held.length > 0) options.onHeld(held);
      const unbraked = failed.map(({ connectionId }) => connectionId);
      const changes = await listUnpublishedChanges(db, { graceSeconds, limit: BATCH, unbraked });
      await options.publishChanges(changes);
      await renewHeldLetters(db);
      if (failed.length > 0) {
        const errors = failed.map(({ error }) => error);
        throw new AggregateError(errors, `deletions could not be held: ${unbraked.join(', ')}`);
      }
      return changes.length;
    },
  };
}
