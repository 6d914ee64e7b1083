import { lt, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { usedConnectLinks } from '../schema/index.ts';

/** Uses a connect link up; false when it was used before. Of two browsers at once, one gets true. */
export async function useConnectLink(db: Database, linkId: string, expiresAt: Date): Promise<boolean> {
  const used = await db
    .insert(usedConnectLinks)
    .values({ linkId, expiresAt })
    .onConflictDoNothing()
    .returning({ linkId: usedConnectLinks.linkId });
  return used.length > 0;
}

/** Forgets links whose time is over anyway. */
export async function pruneConnectLinks(db: Database): Promise<void> {
  await db.delete(usedConnectLinks).where(lt(usedConnectLinks.expiresAt, sql`now()`));
}
