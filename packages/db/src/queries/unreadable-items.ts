/**
 * Items of a connection's feed that could not be understood and may block. One row each, kept until the item can be read, is
 * gone, or a full round does not show it: as long as one is there, nobody knows when the owner is busy with it.
 */
import { eq, sql } from 'drizzle-orm';
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
  // As one value, since a whole calendar may be of a form that nobody reads.
  const records = JSON.stringify(
    items.map(({ eventId, seriesId, reason }) => ({ event_id: eventId ?? NAMELESS, series_id: seriesId, reason })),
  );
  const given = sql`jsonb_to_recordset(${records}::text::jsonb) AS r (event_id text, series_id text, reason text)`;
  await tx.execute(sql`
    DELETE FROM unreadable_items u
     WHERE u.connection_id = ${connectionId} AND u.external_event_id NOT IN (SELECT event_id FROM ${given})`);
  // Ingress, which has another account's forgotten, may not insert.
  if (items.length === 0) return;
  await tx.execute(sql`
    INSERT INTO unreadable_items AS u (connection_id, external_event_id, series_id, reason)
    SELECT DISTINCT ON (event_id) ${connectionId}::uuid, event_id, series_id, reason FROM ${given}
    ON CONFLICT (connection_id, external_event_id) DO UPDATE SET series_id = EXCLUDED.series_id, reason = EXCLUDED.reason
     WHERE (u.series_id, u.reason) IS DISTINCT FROM (EXCLUDED.series_id, EXCLUDED.reason)`);
}

/** Said of a connection's row. */
export function hasUnreadableItems(connectionId: unknown) {
  return sql<boolean>`EXISTS (SELECT FROM unreadable_items u WHERE u.connection_id = ${connectionId})`;
}
