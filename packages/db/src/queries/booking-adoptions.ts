/**
 * Bookings of which a connection has no effect, or one that lags: of a calendar that was just connected, connected again,
 * or missed by a booking that was accepted in that very moment.
 */
import { and, eq, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import type { CalendarProvider } from '../schema/calendar-provider.ts';
import { connections } from '../schema/index.ts';
import { isConnectionHeld } from './effect-leases.ts';

/**
 * The provider's bookings that an event in this connection's calendar may be ahead of, and that its effects do not know in
 * their newest version. Cancelled ones, and ones that were moved into the past: an event of an earlier version may still
 * stand there, written before the connection was erased. Those that begin soonest come first.
 */
export async function findBookingsToAdopt(db: Database, connectionId: string, limit: number): Promise<string[]> {
  const rows = await db.execute<{ booking_id: string }>(sql`
    SELECT i.booking_id
      FROM external_calendar_connections c
      JOIN booking_intents i ON i.provider_id = c.provider_id
      LEFT JOIN booking_effects e ON e.booking_id = i.booking_id AND e.connection_id = c.id
     WHERE c.id = ${connectionId} AND greatest(i.end_time, i.earlier_end) > now()
       AND (e.version IS NULL OR e.version < i.version)
     ORDER BY i.start_time, i.booking_id LIMIT ${limit}`);
  return rows.map((row) => row.booking_id);
}

export interface Adoption {
  readonly bookingId: string;
  /** Under which an event of the booking may be there already: its first look asks for that one. */
  readonly creationKey: string;
}

/** What is waited for comes sooner, or not at all: then each event is looked for by itself. */
const ROUND_AWAITED_SECONDS = 120;

/**
 * Gives a connection these bookings in their newest version; returns those that have work.
 *
 * @param awaitsRound new ones of a connection that was never synced wait for its first round, for a while. Only of bookings
 *   that are committed before that round can begin; see `settleAdoptions`.
 */
export async function insertAdoptions(
  db: Database,
  connectionId: string,
  adoptions: readonly Adoption[],
  awaitsRound: boolean,
): Promise<string[]> {
  if (adoptions.length === 0) return [];
  // What is being forgotten, or erased, at this moment is left alone, and not waited for.
  const rows = await db.execute<{ booking_id: string }>(sql`
    INSERT INTO booking_effects AS e (booking_id, connection_id, version, creation_key, adopted, next_attempt_at)
    SELECT i.booking_id, c.id, i.version, a."creationKey",
           CASE WHEN ${awaitsRound} AND c.last_synced_at IS NULL THEN 'unknown' END,
           now() + CASE WHEN ${awaitsRound} AND c.last_synced_at IS NULL THEN ${ROUND_AWAITED_SECONDS} ELSE 0 END
                   * interval '1 second'
      FROM jsonb_to_recordset(${JSON.stringify(adoptions)}::text::jsonb) AS a ("bookingId" uuid, "creationKey" text)
      JOIN booking_intents i ON i.booking_id = a."bookingId"
      JOIN external_calendar_connections c ON c.provider_id = i.provider_id AND c.id = ${connectionId}
     ORDER BY i.booking_id
       FOR KEY SHARE OF i, c SKIP LOCKED
    ON CONFLICT (booking_id, connection_id) DO UPDATE
       SET version = EXCLUDED.version, received_at = now(), next_attempt_at = now(), dead_at = NULL, updated_at = now(),
           error_count = 0
     WHERE e.version < EXCLUDED.version
    RETURNING e.booking_id`);
  return rows.map((row) => row.booking_id);
}

/** What of bookings was in the feed. */
export interface SeenByRound {
  readonly bookingIds: ReadonlySet<string>;
  /** When members of series begin, epoch seconds: the feed does not say under which key a series was created. */
  readonly seriesStarts: ReadonlySet<number>;
}

export interface FirstRound {
  readonly window: { readonly startAt: Date; readonly endAt: Date };
  readonly seen: SeenByRound;
  /** False when something in the feed could not be read: it may have been any booking's event. */
  readonly isWhole: boolean;
}

/**
 * Tells the bookings that wait for a connection's first round what it saw. One whose event was not there, and whose every
 * version lies within the window, is created without a look; the others are looked for one by one: also those that begin
 * with a member of a series, which its owner may have made of the event. All are due.
 *
 * What an owner moved out of the window is not seen either: then the calendar refuses its key, and it is found after all.
 */
export async function settleAdoptions(tx: Database, connectionId: string, round: FirstRound): Promise<void> {
  const { window, seen, isWhole } = round;
  const all = (names: ReadonlySet<string | number>) =>
    sql`SELECT jsonb_array_elements_text(${JSON.stringify([...names])}::text::jsonb)`;
  await tx.execute(sql`
    UPDATE booking_effects e
       SET adopted = CASE WHEN ${isWhole}
                           AND i.start_time >= ${window.startAt.toISOString()}::timestamptz
                           AND greatest(i.end_time, i.earlier_end) <= ${window.endAt.toISOString()}::timestamptz
                           AND e.booking_id::text NOT IN (${all(seen.bookingIds)})
                           AND floor(extract(epoch FROM i.start_time))::bigint::text NOT IN (${all(seen.seriesStarts)})
                          THEN 'absent' END,
           next_attempt_at = CASE WHEN e.last_error IS NULL THEN now() ELSE e.next_attempt_at END
      FROM booking_intents i
     WHERE ${isConnectionHeld(connectionId)}
       AND e.connection_id = ${connectionId} AND e.adopted = 'unknown' AND i.booking_id = e.booking_id`);
}

/** Nobody else takes a connection's turn for so long; one whose look failed has its next turn then. */
const TAKEN_SECONDS = 60;

/** Connections in use whose turn it is, longest waiting first; whoever gets them here looks at them. */
export async function takeDueAdoptions(
  db: Database,
  limit: number,
): Promise<{ readonly id: string; readonly calendarProvider: CalendarProvider }[]> {
  const rows = await db.execute<{ id: string; calendar_provider: CalendarProvider }>(sql`
    UPDATE external_calendar_connections c
       SET adopt_at = now() + ${TAKEN_SECONDS} * interval '1 second'
      FROM (SELECT d.id FROM external_calendar_connections d
             WHERE d.adopt_at <= now() AND d.status = 'active' AND d.sync_enabled
             ORDER BY d.adopt_at LIMIT ${limit} FOR NO KEY UPDATE SKIP LOCKED) due
     WHERE c.id = due.id
    RETURNING c.id, c.calendar_provider`);
  return rows.map((row) => ({ id: row.id, calendarProvider: row.calendar_provider }));
}

/** Something is left to adopt: the sweep looks at the connection as soon as it can. */
export async function hastenAdoption(db: Database, connectionId: string): Promise<void> {
  await db.update(connections).set({ adoptAt: sql`now()` }).where(eq(connections.id, connectionId));
}

/**
 * Nothing is left to adopt: the next turn comes after this long, or up to half as long again, so that turns spread. A
 * connection that is younger than a minute keeps the turn that taking it has booked: a booking that was accepted in the
 * moment in which it was made may be missing still.
 */
export async function noteAdoption(db: Database, connectionId: string, seconds: number): Promise<void> {
  await db
    .update(connections)
    .set({ adoptAt: sql`now() + ${seconds} * (1 + random() / 2) * interval '1 second'` })
    .where(and(eq(connections.id, connectionId), sql`${connections.createdAt} <= now() - interval '1 minute'`));
}
