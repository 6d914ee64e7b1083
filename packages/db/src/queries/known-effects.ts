/** Bookings' own events in a calendar's feed: recognised, and read when their owner may have touched them. */
import { and, eq, inArray, or, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { hotStatement } from '../hot-statement.ts';
import { bookingEffects, bookingIntents } from '../schema/index.ts';
import { isUuid } from '../uuid.ts';
import { isConnectionHeld } from './effect-leases.ts';

const given = sql.placeholder;

/** How inbound recognises a booking's own event in the feed. */
export interface KnownEffect {
  readonly bookingId: string;
  readonly generation: number;
  readonly externalEventId: string | null;
  readonly creationKey: string | null;
  /** The keys of earlier generations: a late writer may still create an event under one of them. */
  readonly formerKeys: readonly string[];
  readonly etag: string | null;
  readonly writtenStart: Date | null;
  readonly writtenEnd: Date | null;
  readonly desiredStart: Date | null;
  readonly desiredEnd: Date | null;
  readonly state: 'live' | 'cancelled';
  readonly leaseHeld: boolean;
}

/** The effects of this connection among these event ids, creation keys and (from markers) bookings. */
export async function findKnownEffects(
  db: Database,
  connectionId: string,
  eventIds: readonly string[],
  creationKeys: readonly string[],
  bookingIds: readonly string[],
): Promise<KnownEffect[]> {
  if (eventIds.length === 0 && creationKeys.length === 0 && bookingIds.length === 0) return [];
  return knownEffects(db).execute({
    connectionId,
    ids: JSON.stringify([...eventIds, ...creationKeys]),
    creationKeys: JSON.stringify(creationKeys),
    // Somebody else may have written the marker: what is no id is nobody's.
    bookingIds: JSON.stringify(bookingIds.filter(isUuid)),
  });
}

/**
 * Each name is looked up in the index that it stands in, however many bookings there are: with `IN (SELECT …)` in place
 * of the arrays PostgreSQL would read all effects of all connections, every time.
 */
const knownEffects = hotStatement((db) => {
  const all = (name: string) => sql`jsonb_array_elements_text(${given(name)}::text::jsonb)`;
  const names = sql`ARRAY(SELECT ${all('ids')})`;
  return db
    .select({
      bookingId: bookingEffects.bookingId,
      generation: bookingEffects.generation,
      externalEventId: bookingEffects.externalEventId,
      creationKey: bookingEffects.creationKey,
      formerKeys: bookingEffects.formerKeys,
      etag: bookingEffects.etag,
      writtenStart: bookingEffects.writtenStart,
      writtenEnd: bookingEffects.writtenEnd,
      desiredStart: bookingIntents.startTime,
      desiredEnd: bookingIntents.endTime,
      state: bookingIntents.state,
      leaseHeld: sql<boolean>`coalesce(${bookingEffects.leaseUntil} > now(), false)`,
    })
    .from(bookingEffects)
    .innerJoin(bookingIntents, eq(bookingIntents.bookingId, bookingEffects.bookingId))
    .where(
      and(
        eq(bookingEffects.connectionId, given('connectionId')),
        or(
          sql`${bookingEffects.externalEventId} = ANY(${names})`,
          sql`${bookingEffects.creationKey} = ANY(${names})`,
          sql`${bookingEffects.formerKeys} <> '{}' AND ${bookingEffects.formerKeys} && ARRAY(SELECT ${all('creationKeys')})`,
          sql`${bookingEffects.bookingId} = ANY(ARRAY(SELECT ${all('bookingIds')}::uuid))`,
        ),
      ),
    )
    .prepare('find_known_effects');
});

/** Asks for a read of these bookings' events: the feed hinted that their owner touched them. */
export async function requestInspection(
  db: Database,
  connectionId: string,
  bookingIds: readonly string[],
): Promise<void> {
  if (bookingIds.length === 0) return;
  await db
    .update(bookingEffects)
    .set({ inspectRequested: sql`${bookingEffects.inspectRequested} + 1`, nextAttemptAt: sql`now()` })
    .where(
      and(
        isConnectionHeld(connectionId),
        eq(bookingEffects.connectionId, connectionId),
        inArray(bookingEffects.bookingId, [...bookingIds].sort()),
      ),
    );
}
