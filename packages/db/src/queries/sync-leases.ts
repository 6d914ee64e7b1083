/**
 * The sole right to sync one connection, and what may be done with it.
 *
 * A lease has an owner, an end and a token that only grows; all three live in the connection's row and run by the
 * database's clock. Whoever records results must show the token it was given: an older one changes nothing. Every
 * `now()` below is the database's, so a process with a wrong clock can neither take a lease early nor keep it late.
 */
import { and, eq, inArray, isNull, lte, or, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { Database } from '../client.ts';
import { hotStatement } from '../hot-statement.ts';
import { type Connection, connectionColumns, connections, type LastError, type RequestedBy } from '../schema/index.ts';
import { type Allowlists, isAllowed } from './allowlists.ts';
import { credentialColumns, type StoredCredentials } from './credentials.ts';
import { hasUnreadableItems } from './unreadable-items.ts';

export interface SyncClaim {
  readonly connection: Connection;
  /** The fencing token; `connection.leaseToken` under its own name. */
  readonly token: number;
  /** The value of `requested` this sync will have satisfied when it succeeds. */
  readonly noted: number;
  /** The database's time at the claim. The product's "now" for everything this sync decides. */
  readonly claimedAt: Date;
  /** The sealed tokens at the claim, so that nobody has to ask for them once more. Not for logs. */
  readonly credentials: StoredCredentials;
  /** Pages of earlier claims lie in staging. A late worker may yet add some under its older token; nobody reads those. */
  readonly hasStagedPages: boolean;
  /** Items of the feed that could not be read are on record. */
  readonly hasDoubts: boolean;
}

/**
 * How long a lease lasts unless it is kept, milliseconds; of connections and bookings alike. As long as a queue's lock on
 * a job (`lockDuration` in `@bookiji/queues`), so that a dead worker's job finds the lease free. A call to a calendar may
 * take longer (`PROVIDER_TIMEOUT_MS`): its worker keeps the lease at every third of its length meanwhile.
 */
export const LEASE_MS = 5_000;

/**
 * A lease does not hold any more: another process has a newer token, or the row is gone. Also the reason with which work is
 * called off that stands still or cannot renew its lease in time, whoever has it by then (`keepLease` in `@bookiji/sync`).
 * The statement that throws it has recorded nothing; a transaction around it must roll back.
 */
export class LeaseLostError extends Error {
  constructor(subject: string) {
    super(`the lease on ${subject} was lost`);
    this.name = 'LeaseLostError';
  }
}

const given = sql.placeholder;

const isWorkable = and(
  eq(connections.status, 'active'),
  eq(connections.syncEnabled, true),
  // The index of due connections is over this very column.
  connections.syncNeeded,
  or(isNull(connections.backoffUntil), lte(connections.backoffUntil, sql`now()`)),
);

/** Takes the lease if the connection has work and nobody holds it; null when there is nothing to do for this caller. */
export async function claimSync(
  db: Database,
  claim: { connectionId: string; owner: string; leaseMs: number },
): Promise<SyncClaim | null> {
  const [row] = await syncClaim(db).execute(claim);
  if (row === undefined) return null;
  const {
    claimedAt,
    accessTokenSealed,
    refreshTokenSealed,
    expiresInSeconds,
    hasStagedPages,
    hasDoubts,
    ...connection
  } = row;
  const { calendarProvider, status, tokenVersion, leaseToken: token, requested: noted } = connection;
  const grant = { accessTokenSealed, refreshTokenSealed, tokenVersion, expiresInSeconds };
  return {
    connection,
    token,
    noted,
    claimedAt,
    credentials: { calendarProvider, status, ...grant },
    hasStagedPages,
    hasDoubts,
  };
}

const syncClaim = hotStatement((db) =>
  db
    .update(connections)
    .set({
      leaseOwner: sql`${given('owner')}`,
      leaseToken: sql`${connections.leaseToken} + 1`,
      leaseUntil: sql`now() + ${given('leaseMs')} * interval '1 millisecond'`,
    })
    .where(
      and(
        eq(connections.id, given('connectionId')),
        isWorkable,
        or(isNull(connections.leaseUntil), lte(connections.leaseUntil, sql`now()`)),
      ),
    )
    .returning({
      ...connectionColumns,
      ...credentialColumns,
      claimedAt: sql<Date>`now()`.mapWith(connections.createdAt),
      hasStagedPages: sql<boolean>`EXISTS (SELECT FROM staged_changes WHERE connection_id = ${given('connectionId')})`,
      hasDoubts: hasUnreadableItems(given('connectionId')),
    })
    .prepare('claim_sync'),
);

/** Moves the lease's end; throws `LeaseLostError` when it is no longer ours. One that was given back stays so. */
export async function extendSyncLease(
  db: Database,
  lease: { connectionId: string; token: number; leaseMs: number },
): Promise<void> {
  const kept = await db
    .update(connections)
    .set({ leaseUntil: unlessGivenBack(connections.leaseUntil, lease.leaseMs) })
    .where(isHeld(lease))
    .returning({ id: connections.id });
  if (kept.length === 0) throw new LeaseLostError('the connection');
}

/** A lease's new end. The token stays when a lease is given back, so a renewal that comes behind would take it again. */
export function unlessGivenBack(leaseUntil: AnyPgColumn, leaseMs: number) {
  return sql`CASE WHEN ${leaseUntil} IS NOT NULL THEN now() + ${leaseMs} * interval '1 millisecond' END`;
}

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

/**
 * Makes sure, last thing in a transaction, that the lease is still this token's, and keeps it so until the commit: a
 * worker that comes back late commits nothing.
 *
 * @throws LeaseLostError; the caller's transaction must roll back.
 */
export async function holdSyncLease(tx: Database, lease: { connectionId: string; token: number }): Promise<void> {
  const held = await tx.select({ id: connections.id }).from(connections).where(isHeld(lease)).for('share');
  if (held.length === 0) throw new LeaseLostError('the connection');
}

/** One that is being disconnected keeps the reason that says so. */
function parkedAs({ status, reason }: NonNullable<SyncFailure['park']>) {
  return {
    status,
    statusReason: sql`CASE WHEN ${connections.syncEnabled} THEN ${reason} ELSE ${connections.statusReason} END`,
  };
}

/** Gives the lease back unused, for instance at shutdown, so that another worker need not wait for its end. */
export async function releaseSyncLease(db: Database, lease: { connectionId: string; token: number }): Promise<void> {
  await db.update(connections).set({ leaseOwner: null, leaseUntil: null }).where(isHeld(lease));
}

function isHeld(lease: { connectionId: string; token: number }) {
  return and(eq(connections.id, lease.connectionId), eq(connections.leaseToken, lease.token));
}

/** Connections with work whose wait is over and that nobody holds, longest waiting first. */
export async function findDueConnections(db: Database, allow: Allowlists, limit: number): Promise<string[]> {
  const rows = await db
    .select({ id: connections.id })
    .from(connections)
    .where(
      and(isWorkable, isAllowed(allow), or(isNull(connections.leaseUntil), lte(connections.leaseUntil, sql`now()`))),
    )
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
