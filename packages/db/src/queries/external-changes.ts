/** What owners did to bookings' events: recorded with the read that proves it, then published. */
import { eq, inArray, isNull, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { type ExternalChange, externalChanges } from '../schema/index.ts';

export type ObservedChange = Pick<
  ExternalChange,
  'kind' | 'bookingId' | 'providerId' | 'connectionId' | 'bookingVersion' | 'startTime' | 'endTime' | 'reading'
>;

/** Records a change once per reading; null when the same reading is recorded already. */
export async function recordExternalChange(db: Database, change: ObservedChange): Promise<ExternalChange | null> {
  const [row] = await db.insert(externalChanges).values(change).onConflictDoNothing().returning();
  return row ?? null;
}

export async function listUnpublishedChanges(db: Database, limit: number): Promise<ExternalChange[]> {
  return db
    .select()
    .from(externalChanges)
    .where(isNull(externalChanges.publishedAt))
    .orderBy(externalChanges.observedAt)
    .limit(limit);
}

export async function markChangesPublished(db: Database, changeIds: readonly string[]): Promise<void> {
  if (changeIds.length === 0) return;
  await db
    .update(externalChanges)
    .set({ publishedAt: sql`now()` })
    .where(inArray(externalChanges.changeId, [...changeIds]));
}

/** How many of this connection's bookings were seen deleted within the last `minutes`: the brake's measure. */
export async function countRecentDeletions(db: Database, connectionId: string, minutes: number): Promise<number> {
  const [row] = await db
    .select({ count: sql<number>`count(*)::int` })
    .from(externalChanges)
    .where(
      sql`${eq(externalChanges.connectionId, connectionId)} AND ${inArray(externalChanges.kind, ['deleted', 'held'])}
          AND ${externalChanges.observedAt} > now() - ${minutes} * interval '1 minute'`,
    );
  return row?.count ?? 0;
}
