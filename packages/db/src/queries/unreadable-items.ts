/**
 * Items of a connection's feed that could not be understood and may block. One row each, kept until the item can be read, is
 * gone, or a full round does not show it: as long as one is there, nobody knows when the owner is busy with it.
 */
import { and, eq, notInArray, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { unreadableItems } from '../schema/index.ts';

export interface UnreadableRecord {
  /** Null for an item that named none. */
  readonly eventId: string | null;
  readonly seriesId: string | null;
  /** snake_case, without any content of the event. */
  readonly reason: string;
}

/** In the place of the id of an item that named none. No calendar provider gives an empty id. */
const NAMELESS = '';

export async function listUnreadableItems(db: Database, connectionId: string): Promise<UnreadableRecord[]> {
  const rows = await db
    .select({
      eventId: unreadableItems.externalEventId,
      seriesId: unreadableItems.seriesId,
      reason: unreadableItems.reason,
    })
    .from(unreadableItems)
    .where(eq(unreadableItems.connectionId, connectionId));
  return rows.map((row) => ({ ...row, eventId: row.eventId === NAMELESS ? null : row.eventId }));
}

/**
 * What cannot be read now, in the place of what could not before. Call it in the transaction that moves the cursor, under the
 * connection's lease. An item that was known keeps when it was first seen.
 */
export async function replaceUnreadableItems(
  tx: Database,
  connectionId: string,
  items: readonly UnreadableRecord[],
): Promise<void> {
  const rows = new Map(
    items.map(({ eventId, ...item }) => [eventId ?? NAMELESS, { ...item, externalEventId: eventId ?? NAMELESS }]),
  );
  const ofConnection = eq(unreadableItems.connectionId, connectionId);
  const isGone =
    rows.size === 0 ? ofConnection : and(ofConnection, notInArray(unreadableItems.externalEventId, [...rows.keys()]));
  await tx.delete(unreadableItems).where(isGone);
  if (rows.size === 0) return;
  await tx
    .insert(unreadableItems)
    .values([...rows.values()].map((row) => ({ ...row, connectionId })))
    .onConflictDoUpdate({
      target: [unreadableItems.connectionId, unreadableItems.externalEventId],
      set: { seriesId: sql`excluded.series_id`, reason: sql`excluded.reason` },
    });
}

/** Said of a connection's row. */
export function hasUnreadableItems(connectionId: unknown) {
  return sql<boolean>`EXISTS (SELECT FROM unreadable_items u WHERE u.connection_id = ${connectionId})`;
}
