import { lt, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { usedConnectLinks } from '../schema/index.ts';
import { pruneRows } from './prune-rows.ts';

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
export function pruneConnectLinks(db: Database): Promise<number> {
  return pruneRows(db, usedConnectLinks, lt(usedConnectLinks.expiresAt, sql`now()`));
}
