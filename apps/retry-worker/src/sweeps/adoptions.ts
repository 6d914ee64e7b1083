import { type Database, noteAdoption, takeDueAdoptions } from '@bookiji/db';
import { adoptBookings } from '@bookiji/sync';
import type { Sweep } from '../sweeper.ts';

const INTERVAL_MS = 10_000;
/** Some four hundred thousand connections a day, most of which need nothing. */
const BATCH = 50;
/** One statement's worth, more than a provider has ahead. */
const ADOPTED_AT_ONCE = 5_000;
const DAY_SECONDS = 24 * 3_600;

/**
 * Holds each connection's effects against its provider's bookings: a minute after it was made, then once a day. What is
 * adopted is due, and rung by the sweep of due bookings. Not asked of flags: nothing is written to a calendar here.
 */
export function sweepAdoptions(options: { readonly db: Database }): Sweep {
  const { db } = options;
  return {
    name: 'adoptions',
    intervalMs: INTERVAL_MS,
    async run() {
      let found = 0;
      const failures: unknown[] = [];
      for (const connection of await takeDueAdoptions(db, BATCH)) {
        try {
          const adopted = await adoptBookings(db, connection, { atMost: ADOPTED_AT_ONCE, isWithGrant: false });
          if (adopted.isComplete) await noteAdoption(db, connection.id, DAY_SECONDS);
          found += adopted.bookingIds.length;
        } catch (error) {
          // One that fails has another turn soon, and keeps nobody from theirs.
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
      return found;
    },
  };
}
