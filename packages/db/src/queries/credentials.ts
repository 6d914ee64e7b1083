/** Sealed tokens, and the lease that lets one process at a time refresh them. */
import { and, eq, isNull, lte, or, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { hotStatement } from '../hot-statement.ts';
import type { CalendarProvider } from '../schema/calendar-provider.ts';
import { connections } from '../schema/index.ts';

export interface StoredCredentials {
  readonly calendarProvider: CalendarProvider;
  readonly status: 'active' | 'reauth_required' | 'disabled';
  readonly accessTokenSealed: string | null;
  readonly refreshTokenSealed: string | null;
  /** Grows with every stored grant. */
  readonly tokenVersion: number;
  /** By the database's clock; negative once it has ended, null when unknown. */
  readonly expiresInSeconds: number | null;
}

/** What `connectionColumns` leave out. */
export const credentialColumns = {
  accessTokenSealed: connections.accessTokenSealed,
  refreshTokenSealed: connections.refreshTokenSealed,
  expiresInSeconds: sql<number | null>`extract(epoch FROM ${connections.accessTokenExpiresAt} - now())::float8`,
};

export async function readCredentials(db: Database, connectionId: string): Promise<StoredCredentials | null> {
  const [row] = await credentials(db).execute({ connectionId });
  return row ?? null;
}

const credentials = hotStatement((db) =>
  db
    .select({
      calendarProvider: connections.calendarProvider,
      status: connections.status,
      tokenVersion: connections.tokenVersion,
      ...credentialColumns,
    })
    .from(connections)
    .where(eq(connections.id, sql.placeholder('connectionId')))
    .prepare('credentials'),
);

/** Takes the right to refresh, if the connection is active, its tokens are still those of `tokenVersion` and nobody else is at it. */
export async function claimRefresh(
  db: Database,
  claim: { connectionId: string; tokenVersion: number; leaseMs: number },
): Promise<boolean> {
  const taken = await db
    .update(connections)
    .set({ tokenLeaseUntil: sql`now() + ${claim.leaseMs} * interval '1 millisecond'` })
    .where(
      and(
        eq(connections.id, claim.connectionId),
        eq(connections.tokenVersion, claim.tokenVersion),
        // Of a grant that was just found dead, nobody asks for a refresh again.
        eq(connections.status, 'active'),
        or(isNull(connections.tokenLeaseUntil), lte(connections.tokenLeaseUntil, sql`now()`)),
      ),
    )
    .returning({ id: connections.id });
  return taken.length > 0;
}

export interface RefreshedTokens {
  readonly connectionId: string;
  /** The version that was refreshed; a newer one in the row wins over this result. */
  readonly tokenVersion: number;
  readonly accessTokenSealed: string;
  /** Null keeps the stored one (Google sends none). */
  readonly refreshTokenSealed: string | null;
  readonly expiresInSeconds: number;
}

/** Stores refreshed tokens and gives the right back; false when a newer grant is already there. */
export async function storeRefreshedTokens(db: Database, tokens: RefreshedTokens): Promise<boolean> {
  const stored = await db
    .update(connections)
    .set({
      accessTokenSealed: tokens.accessTokenSealed,
      accessTokenExpiresAt: sql`now() + ${tokens.expiresInSeconds} * interval '1 second'`,
      tokenVersion: sql`${connections.tokenVersion} + 1`,
      tokenLeaseUntil: null,
      ...(tokens.refreshTokenSealed === null ? {} : { refreshTokenSealed: tokens.refreshTokenSealed }),
    })
    .where(and(eq(connections.id, tokens.connectionId), eq(connections.tokenVersion, tokens.tokenVersion)))
    .returning({ id: connections.id });
  return stored.length > 0;
}

/** Gives the right to refresh back after a failed try; the next one may take it after `afterMs`. */
export async function releaseRefresh(
  db: Database,
  held: { connectionId: string; tokenVersion: number; afterMs: number },
): Promise<void> {
  await db
    .update(connections)
    .set({ tokenLeaseUntil: sql`now() + ${held.afterMs} * interval '1 millisecond'` })
    .where(and(eq(connections.id, held.connectionId), eq(connections.tokenVersion, held.tokenVersion)));
}

/** Every connection's sealed tokens in pages, for re-sealing under a new key. */
export async function listSealedTokens(db: Database, afterId: string | null, limit: number) {
  return db
    .select({
      id: connections.id,
      accessTokenSealed: connections.accessTokenSealed,
      refreshTokenSealed: connections.refreshTokenSealed,
      tokenVersion: connections.tokenVersion,
    })
    .from(connections)
    .where(afterId === null ? undefined : sql`${connections.id} > ${afterId}::uuid`)
    .orderBy(connections.id)
    .limit(limit);
}

/** Replaces sealed tokens by the same ones under another key; false when a refresh came in between. */
export async function storeResealedTokens(
  db: Database,
  sealed: { id: string; tokenVersion: number; accessTokenSealed: string | null; refreshTokenSealed: string | null },
): Promise<boolean> {
  const stored = await db
    .update(connections)
    .set({ accessTokenSealed: sealed.accessTokenSealed, refreshTokenSealed: sealed.refreshTokenSealed })
    .where(and(eq(connections.id, sealed.id), eq(connections.tokenVersion, sealed.tokenVersion)))
    .returning({ id: connections.id });
  return stored.length > 0;
}
