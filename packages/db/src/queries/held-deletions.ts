/**
 * The brake against mass deletions. A deletion is told to nobody until its grace is over: until then it is withdrawn when
 * the event comes back or a newer version is written, and held when its connection loses many at once. What is held waits
 * for a person, who lets it go or has the events written again.
 */
import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { closeDeadLetter, writeDeadLetter } from './dead-letters.ts';

/**
 * The event is there again: what was not told yet need not be, and what is held is no longer a question.
 *
 * @returns whether a deletion was withdrawn of which nobody had heard.
 */
export async function withdrawDeletion(
  db: Database,
  target: { bookingId: string; connectionId: string },
): Promise<boolean> {
  const rows = await db.execute<{ is_unheard: boolean }>(sql`
    UPDATE external_changes
       SET withdrawn_at = CASE WHEN published_at IS NULL THEN now() END,
           settled_at = CASE WHEN kind = 'held' THEN now() END
     WHERE booking_id = ${target.bookingId} AND connection_id = ${target.connectionId} AND withdrawn_at IS NULL
       AND (kind = 'deleted' AND published_at IS NULL OR kind = 'held' AND settled_at IS NULL)
    RETURNING published_at IS NULL AS is_unheard`);
  return rows.length > 0 && rows.every((row) => row.is_unheard);
}

export interface BrakeSettings {
  /** From so many bookings deleted in one connection on, within the minutes below, all that was not told is held. */
  readonly deletions: number;
  readonly minutes: number;
}

export interface Braked {
  /** The connections where something was held just now. */
  readonly held: readonly string[];
  /** The connections where it could not be: of these no deletion may be told. */
  readonly failed: readonly { readonly connectionId: string; readonly error: unknown }[];
}

/**
 * Withdraws what was overtaken and holds what comes in crowds. Each connection by itself: whatever is wrong with one must
 * not keep all others from being told.
 */
export async function brakeDeletions(db: Database, settings: BrakeSettings): Promise<Braked> {
  await withdrawOvertaken(db);
  const held: string[] = [];
  const failed: { connectionId: string; error: unknown }[] = [];
  for (const connectionId of await findCrowded(db, settings)) {
    try {
      if (await holdDeletions(db, connectionId)) held.push(connectionId);
    } catch (error) {
      failed.push({ connectionId, error });
    }
  }
  return { held, failed };
}

async function withdrawOvertaken(db: Database): Promise<void> {
  await db.execute(sql`
    UPDATE external_changes x SET withdrawn_at = now()
      FROM booking_effects e
     WHERE x.kind = 'deleted' AND x.published_at IS NULL AND x.withdrawn_at IS NULL AND NOT x.is_released
       AND e.booking_id = x.booking_id AND e.connection_id = x.connection_id
       AND (e.applied_version > x.booking_version OR e.external_event_id IS NOT NULL)`);
}

/** The connections with something to be held: many at once, or more where something is held already. */
async function findCrowded(db: Database, { deletions, minutes }: BrakeSettings): Promise<string[]> {
  const rows = await db.execute<{ connection_id: string }>(sql`
    WITH crowded AS (
      SELECT connection_id FROM external_changes
       WHERE kind IN ('deleted', 'held') AND withdrawn_at IS NULL AND NOT is_released AND settled_at IS NULL
         AND observed_at > now() - ${minutes} * interval '1 minute'
       GROUP BY connection_id HAVING count(DISTINCT booking_id) >= ${deletions}
      UNION
      SELECT connection_id FROM external_changes WHERE kind = 'held' AND settled_at IS NULL
    )
    SELECT DISTINCT x.connection_id FROM external_changes x JOIN crowded USING (connection_id)
     WHERE x.kind = 'deleted' AND x.published_at IS NULL AND x.withdrawn_at IS NULL AND NOT x.is_released`);
  return rows.map((row) => row.connection_id);
}

/** Earlier versions gave every deletion of one event the same reading, and one of them may be held already. */
const heldReading = sql`CASE WHEN EXISTS (
    SELECT FROM external_changes h
     WHERE h.kind = 'held' AND h.booking_id = x.booking_id AND h.connection_id = x.connection_id AND h.reading = x.reading)
  THEN x.reading || ' ' || x.change_id ELSE x.reading END`;

async function holdDeletions(db: Database, connectionId: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const held = await tx.execute(sql`
      UPDATE external_changes x SET kind = 'held', reading = ${heldReading}
       WHERE x.connection_id = ${connectionId}
         AND x.kind = 'deleted' AND x.published_at IS NULL AND x.withdrawn_at IS NULL AND NOT x.is_released
      RETURNING 1`);
    if (held.length > 0) await askPerson(tx, connectionId);
    return held.length > 0;
  });
}

const SHOWN_AT_MOST = 200;

interface HeldDeletion extends Record<string, unknown> {
  readonly booking_id: string;
  readonly provider_id: string;
}

async function listHeld(db: Database, connectionId: string): Promise<readonly HeldDeletion[]> {
  return db.execute<HeldDeletion>(sql`
    SELECT booking_id, provider_id FROM external_changes
     WHERE connection_id = ${connectionId} AND kind = 'held' AND settled_at IS NULL ORDER BY observed_at`);
}

/** One open letter per connection, which says what is held there. */
async function askPerson(db: Database, connectionId: string): Promise<void> {
  const rows = await listHeld(db, connectionId);
  await writeDeadLetter(db, {
    kind: 'held_deletions',
    reason: `${rows.length} bookings' events were deleted at once`,
    subject: connectionId,
    payload: {
      connection_id: connectionId,
      provider_id: rows[0]?.provider_id,
      count: rows.length,
      booking_ids: rows.slice(0, SHOWN_AT_MOST).map((row) => row.booking_id),
    },
  });
}

/**
 * Brings the letters up to date with what is still held, since owners take events out of the bin again; one about nothing
 * is closed. By the sweep and not together with each withdrawal, where many at once would wait for one letter.
 */
export async function renewHeldLetters(db: Database): Promise<void> {
  const outdated = await db.execute<{ id: string; connection_id: string }>(sql`
    SELECT l.id, l.subject AS connection_id FROM dead_letters l
     WHERE l.kind = 'held_deletions' AND l.replayed_at IS NULL
       AND l.payload ->> 'count' IS DISTINCT FROM (
         SELECT count(*) FROM external_changes
          WHERE connection_id = l.subject::uuid AND kind = 'held' AND settled_at IS NULL)::text`);
  for (const { id, connection_id: connectionId } of outdated) {
    await db.transaction(async (tx) => {
      // Before it is counted again: who holds more meanwhile waits for this lock, or has written the letter already.
      const open = await tx.execute(sql`
        SELECT FROM dead_letters WHERE id = ${id} AND replayed_at IS NULL FOR UPDATE`);
      if (open.length === 0) return;
      const held = await listHeld(tx, connectionId);
      if (held.length === 0) await closeDeadLetter(tx, id);
      else await askPerson(tx, connectionId);
    });
  }
}

/** The owner meant it: each deletion that still stands is told to the booking service. @returns how many. */
export async function releaseDeletions(db: Database, connectionId: string): Promise<number> {
  const rows = await db.execute(sql`
    WITH settled AS (
      UPDATE external_changes SET settled_at = now()
       WHERE connection_id = ${connectionId} AND kind = 'held' AND settled_at IS NULL
      RETURNING *
    )
    INSERT INTO external_changes
           (kind, booking_id, provider_id, connection_id, booking_version, reading, is_released)
    SELECT 'deleted', s.booking_id, s.provider_id, s.connection_id, s.booking_version, s.reading, true
      FROM settled s JOIN booking_effects e ON e.booking_id = s.booking_id AND e.connection_id = s.connection_id
     WHERE e.external_event_id IS NULL AND e.applied_version = s.booking_version
    ON CONFLICT DO NOTHING
    RETURNING change_id`);
  return rows.length;
}

/**
 * It was a mistake: each event that is still missing is written again. A read that is under way loses its lease: it would
 * record the deletion as the newest state once more. @returns how many.
 */
export async function restoreDeletions(db: Database, connectionId: string): Promise<number> {
  const rows = await db.execute(sql`
    WITH settled AS (
      UPDATE external_changes SET settled_at = now()
       WHERE connection_id = ${connectionId} AND kind = 'held' AND settled_at IS NULL
      RETURNING *
    )
    UPDATE booking_effects e
       SET applied_version = 0, received_at = now(), next_attempt_at = now(), error_count = 0, dead_at = NULL,
           lease_token = e.lease_token + 1, lease_owner = NULL, lease_until = NULL
      FROM settled s JOIN booking_intents i ON i.booking_id = s.booking_id
     WHERE e.booking_id = s.booking_id AND e.connection_id = s.connection_id AND i.state = 'live'
       AND e.external_event_id IS NULL AND e.applied_version = s.booking_version
    RETURNING e.booking_id`);
  return rows.length;
}
