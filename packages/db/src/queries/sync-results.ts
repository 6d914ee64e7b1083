/** What is recorded of an attempt to sync one connection, and only while its lease is held. */
import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { connections, type LastError } from '../schema/index.ts';
import { isHeld, LeaseLostError } from './sync-leases.ts';

export interface SyncSuccess {
  readonly connectionId: string;
  readonly token: number;
  readonly noted: number;
  readonly claimedAt: Date;
  readonly mode: 'incremental' | 'full';
  readonly cursor: string;
  readonly window: { readonly startAt: Date; readonly endAt: Date };
  readonly reconcileAfterSeconds: number;
  /** Changes were found that the channels in use since before this time should have announced; null for none. */
  readonly unannouncedSince?: Date | null;
}

/**
 * Records a finished sync: cursor, window, counters, errors cleared, lease given back. Call it last in the transaction
 * that stores what the cursor stands for, so that the row ingress writes to is locked for no longer than the commit.
 *
 * @returns whether something was requested meanwhile and another look is due.
 * @throws LeaseLostError; the caller's transaction must roll back.
 */
export async function recordSyncSuccess(
  db: Database,
  done: SyncSuccess,
): Promise<{ lookAgain: boolean; recordedAt: Date }> {
  const lookAgain = sql<boolean>`${connections.requested} > ${done.noted}`;
  const [row] = await db
    .update(connections)
    .set({
      applied: done.noted,
      syncCursor: done.mode === 'full' ? done.cursor : unlessDropped(done.cursor),
      syncWindowStart: done.window.startAt,
      syncWindowEnd: done.window.endAt,
      lastSyncedAt: sql`now()`,
      errorCount: 0,
      lastError: null,
      backoffUntil: null,
      reconcileAt: sql`now() + ${done.reconcileAfterSeconds} * interval '1 second'`,
      // What arrived since was accepted after the claim: counting its lag from there is never too short.
      notifiedAt: sql`CASE WHEN ${lookAgain} AND ${connections.notifiedAt} IS NOT NULL
                      THEN ${done.claimedAt.toISOString()}::timestamptz END`,
      leaseOwner: null,
      leaseUntil: null,
      updatedAt: sql`now()`,
    })
    .where(isHeld(done))
    .returning({ lookAgain, recordedAt: sql<Date>`now()`.mapWith(connections.createdAt) });
  if (row === undefined) throw new LeaseLostError('the connection');
  if (done.unannouncedSince) await noteUnannounced(db, done.connectionId, done.unannouncedSince);
  return row;
}

/**
 * Whoever drops a cursor while an increment is under way wants everything read afresh, which an increment does not do: the
 * cursor stays dropped. A full round has read afresh.
 */
function unlessDropped(cursor: string) {
  return sql`CASE WHEN ${connections.syncCursor} IS NOT NULL THEN ${cursor} END`;
}

/** A first silence stands until a notification comes; one after that begins anew. */
async function noteUnannounced(db: Database, connectionId: string, since: Date): Promise<void> {
  await db.execute(sql`
    UPDATE channels h
       SET unannounced_at = CASE WHEN c.last_webhook_received_at > h.unannounced_at OR h.unannounced_at IS NULL
                                 THEN now() ELSE h.unannounced_at END
      FROM external_calendar_connections c
     WHERE c.id = h.connection_id AND h.connection_id = ${connectionId} AND h.state = 'active'
       AND h.updated_at <= ${since.toISOString()}::timestamptz`);
}

/** What a failed sync leaves behind. The intent stays: `sync_needed` remains true. */
export interface SyncFailure {
  readonly connectionId: string;
  readonly token: number;
  readonly error: LastError;
  /** How long to wait, milliseconds; decided by the caller, who knows the kind. */
  readonly waitMs: number;
  /** False when the wait is not the connection's fault (open breaker, rate limit): no attempt is spent. */
  readonly countsAsError: boolean;
  /** Forget the cursor: the next sync is a full one. */
  readonly dropCursor?: boolean;
  /** Stop until its owner reconnects, with a reason a person understands. */
  readonly park?: { readonly status: 'reauth_required' | 'disabled'; readonly reason: string };
}

/** Records a failed sync and gives the lease back; false when the lease was lost (nothing is recorded then). */
export async function recordSyncFailure(db: Database, failure: SyncFailure): Promise<boolean> {
  const recorded = await db
    .update(connections)
    .set({
      lastError: failure.error,
      backoffUntil: sql`now() + ${failure.waitMs} * interval '1 millisecond'`,
      leaseOwner: null,
      leaseUntil: null,
      updatedAt: sql`now()`,
      ...(failure.countsAsError ? { errorCount: sql`${connections.errorCount} + 1` } : {}),
      ...(failure.dropCursor === true ? { syncCursor: null } : {}),
      ...(failure.park === undefined ? {} : parkedAs(failure.park)),
    })
    .where(isHeld(failure))
    .returning({ id: connections.id });
  return recorded.length > 0;
}

/** One that is being disconnected keeps the reason that says so. */
function parkedAs({ status, reason }: NonNullable<SyncFailure['park']>) {
  return {
    status,
    statusReason: sql`CASE WHEN ${connections.syncEnabled} THEN ${reason} ELSE ${connections.statusReason} END`,
  };
}
