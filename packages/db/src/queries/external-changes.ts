/** What owners did to bookings' events: recorded with the read that proves it, then published. */
import { inArray, sql } from 'drizzle-orm';
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

/**
 * What may be told now: a deletion only once its grace is over, or a person let it go.
 *
 * @param options `unbraked`: connections where the brake did not get to look; their deletions wait for it.
 */
export async function listUnpublishedChanges(
  db: Database,
  options: { graceSeconds: number; limit: number; unbraked: readonly string[] },
): Promise<ExternalChange[]> {
  return db
    .select()
    .from(externalChanges)
    .where(
      sql`${externalChanges.publishedAt} IS NULL AND ${externalChanges.withdrawnAt} IS NULL
          AND (${externalChanges.kind} <> 'deleted' OR ${externalChanges.isReleased}
               OR (${externalChanges.observedAt} <= now() - ${options.graceSeconds} * interval '1 second'
                   AND NOT ${JSON.stringify(options.unbraked)}::text::jsonb ? ${externalChanges.connectionId}::text))`,
    )
    .orderBy(externalChanges.observedAt)
    .limit(options.limit);
}

export async function markChangesPublished(db: Database, changeIds: readonly string[]): Promise<void> {
  if (changeIds.length === 0) return;
  await db
    .update(externalChanges)
    .set({ publishedAt: sql`now()` })
    .where(inArray(externalChanges.changeId, [...changeIds]));
}
