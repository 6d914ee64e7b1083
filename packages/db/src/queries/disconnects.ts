/**
 * Disconnecting in two steps: the wish is stored, and whoever holds the keys carries it out. From the wish on nothing is
 * synced or written; the grant stays usable so that channels can still be closed.
 */
import { and, eq, ne, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { type Connection, channels, connections, deliveries } from '../schema/index.ts';

const WISH = 'disconnect_requested';

export function isDisconnecting(connection: Pick<Connection, 'syncEnabled' | 'statusReason'>): boolean {
  return !connection.syncEnabled && connection.statusReason === WISH;
}

/** False when there is no such connection. A reconnect by its owner withdraws the wish. */
export async function requestDisconnect(db: Database, connectionId: string): Promise<boolean> {
  const noted = await db
    .update(connections)
    .set({ syncEnabled: false, statusReason: WISH, updatedAt: sql`now()` })
    .where(eq(connections.id, connectionId))
    .returning({ id: connections.id });
  return noted.length > 0;
}

/** Forgets a connection as wished; false when its owner connected again meanwhile, or it is gone already. */
export async function eraseDisconnecting(db: Database, connectionId: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const gone = await tx
      .delete(connections)
      .where(
        and(eq(connections.id, connectionId), eq(connections.syncEnabled, false), eq(connections.statusReason, WISH)),
      )
      .returning({ id: connections.id });
    if (gone.length === 0) return false;
    // They are nobody's children: see 0009.
    await tx.delete(deliveries).where(eq(deliveries.connectionId, connectionId));
    return true;
  });
}

/** Whether another connection was granted by the same account: what ends a grant there ends it for both. */
export async function isAccountShared(
  db: Database,
  connection: Pick<Connection, 'id' | 'calendarProvider' | 'accountId'>,
): Promise<boolean> {
  const { id, calendarProvider, accountId } = connection;
  if (accountId === null) return false;
  const [other] = await db
    .select({ id: connections.id })
    .from(connections)
    .where(
      and(
        eq(connections.calendarProvider, calendarProvider),
        eq(connections.accountId, accountId),
        ne(connections.id, id),
      ),
    )
    .limit(1);
  return other !== undefined;
}

export async function findDisconnecting(db: Database, limit: number): Promise<string[]> {
  const rows = await db
    .select({ id: connections.id })
    .from(connections)
    .where(and(eq(connections.syncEnabled, false), eq(connections.statusReason, WISH)))
    .limit(limit);
  return rows.map((row) => row.id);
}

/** Lets every active channel of a connection end now: upkeep extends or replaces it, then closes what is left over. */
export async function endChannels(db: Database, connectionId: string): Promise<void> {
  await db
    .update(channels)
    .set({ expiresAt: sql`now()`, lookedAfterAt: null })
    .where(and(eq(channels.connectionId, connectionId), eq(channels.state, 'active')));
}
