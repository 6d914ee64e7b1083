/** Asking for syncs of connections, finding those that are due, and how far they have come. */
import { and, eq, inArray, lte, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { connections, type RequestedBy } from '../schema/index.ts';
import { type Allowlists, isAllowed } from './allowlists.ts';
import { isUnclaimed, isWorkable } from './sync-leases.ts';

/** Connections with work whose wait is over and that nobody holds, longest waiting first. */
export async function findDueConnections(db: Database, allow: Allowlists, limit: number): Promise<string[]> {
  const rows = await db
    .select({ id: connections.id })
    .from(connections)
    .where(and(isWorkable, isAllowed(allow), isUnclaimed))
    .orderBy(sql`${connections.backoffUntil} NULLS FIRST`)
    .limit(limit);
  return rows.map((row) => row.id);
}

/** Asks for a look at every connection that has not been looked at for its reconcile interval; returns how many. */
export async function requestDueReconciles(
  db: Database,
  allow: Allowlists,
  seconds: number,
  limit: number,
): Promise<number> {
  const due = db
    .select({ id: connections.id })
    .from(connections)
    .where(
      and(
        eq(connections.status, 'active'),
        eq(connections.syncEnabled, true),
        lte(connections.reconcileAt, sql`now()`),
        isAllowed(allow),
      ),
    )
    .orderBy(connections.reconcileAt)
    .limit(limit)
    // Not FOR UPDATE: adoptions pass over a connection that they cannot hold by its key.
    .for('no key update', { skipLocked: true });
  const rows = await db
    .update(connections)
    .set({
      requested: sql`${connections.requested} + 1`,
      requestedBy: 'schedule',
      reconcileAt: sql`now() + ${seconds} * interval '1 second'`,
    })
    .where(sql`${connections.id} IN ${due}`)
    .returning({ id: connections.id });
  return rows.length;
}

/**
 * Asks for a sync of these connections. A person's wish does not wait for a backoff of ours to end; it does wait where the
 * calendar provider itself said how long, since asking again before that only makes it longer.
 */
export async function requestSync(db: Database, connectionIds: readonly string[], by: RequestedBy): Promise<string[]> {
  if (connectionIds.length === 0) return [];
  const rows = await db
    .update(connections)
    .set({
      requested: sql`${connections.requested} + 1`,
      requestedBy: by,
      ...(by === 'manual' ? { backoffUntil: waitAskedFor } : {}),
    })
    .where(sql`${connections.id} IN ${[...connectionIds].sort()}`)
    .returning({ id: connections.id });
  return rows.map((row) => row.id);
}

const waitAskedFor = sql`CASE WHEN ${connections.lastError} ->> 'retry_after' = 'true' THEN ${connections.backoffUntil} END`;

/** How far syncs have come. What was requested up to a reading is done once `applied` reaches that `requested`. */
export interface SyncProgress {
  readonly id: string;
  readonly requested: number;
  readonly applied: number;
  readonly errorCount: number;
  readonly isActive: boolean;
}

export async function readSyncProgress(db: Database, connectionIds: readonly string[]): Promise<SyncProgress[]> {
  if (connectionIds.length === 0) return [];
  const { id, requested, applied, errorCount, status, syncEnabled } = connections;
  return db
    .select({
      id,
      requested,
      applied,
      errorCount,
      isActive: sql<boolean>`${status} = 'active' AND ${syncEnabled}`,
    })
    .from(connections)
    .where(inArray(id, [...connectionIds]));
}
