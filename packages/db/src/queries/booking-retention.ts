/** What is forgotten of bookings: those that ended, or were cancelled, long ago and have nothing left to do. */
import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';

/** Rows that one statement takes, so that a first run over years of bookings holds no lock for long. */
const BATCH = 1_000;

/**
 * Forgets bookings that ended or were cancelled more than `seconds` ago, with their effects, mappings and told changes.
 * One whose last version is not in every calendar, or whose owner's change is not told or not settled, stays whatever
 * its age. After that an old booking event is taken for a new one, so the time must exceed any queue's memory.
 *
 * @returns how many bookings.
 */
export async function pruneBookings(db: Database, seconds: number): Promise<number> {
  for (let pruned = 0; ; ) {
    const count = await pruneBatch(db, seconds);
    pruned += count;
    if (count < BATCH) return pruned;
  }
}

async function pruneBatch(db: Database, seconds: number): Promise<number> {
  const rows = await db.execute(sql`
    WITH ended AS (
      SELECT i.booking_id FROM booking_intents i
       WHERE i.received_at < now() - ${seconds} * interval '1 second'
         -- A cancelled one is gone from the calendars it has effects in. Without any, its event may still stand in one that is
         -- connected again before its end.
         AND (coalesce(greatest(i.end_time, i.earlier_end), '-infinity') < now() - ${seconds} * interval '1 second'
              OR (i.state = 'cancelled' AND EXISTS (SELECT FROM booking_effects e WHERE e.booking_id = i.booking_id)))
         AND NOT EXISTS (SELECT FROM booking_effects e WHERE e.booking_id = i.booking_id
                            AND (e.applied_version < e.version OR e.inspected < e.inspect_requested
                                 OR e.lease_until > now()))
         AND NOT EXISTS (SELECT FROM external_changes x WHERE x.booking_id = i.booking_id AND x.withdrawn_at IS NULL
                            AND (x.published_at IS NULL OR (x.kind = 'held' AND x.settled_at IS NULL)))
       LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
    ), mapping AS (
      DELETE FROM external_calendar_events m USING ended WHERE m.booking_id = ended.booking_id
    ), told AS (
      DELETE FROM external_changes x USING ended WHERE x.booking_id = ended.booking_id
    )
    DELETE FROM booking_intents i USING ended WHERE i.booking_id = ended.booking_id`);
  return rows.count;
}
