/**
 * The sole right to sync one connection, and what may be done with it.
 *
 * A lease has an owner, an end and a token that only grows; all three live in the connection's row and run by the
 * database's clock. Whoever records results must show the token it was given: an older one changes nothing. Every
 * `now()` below is the database's, so a process with a wrong clock can neither take a lease early nor keep it late.
 */
import { and, eq, isNull, lte, or, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { Database } from '../client.ts';
import { hotStatement } from '../hot-statement.ts';
import { type Connection, connectionColumns, connections } from '../schema/index.ts';
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

/** It is in use, has work, and its wait is over. */
export const isWorkable = and(
  eq(connections.status, 'active'),
  eq(connections.syncEnabled, true),
  // The index of due connections is over this very column.
  connections.syncNeeded,
  or(isNull(connections.backoffUntil), lte(connections.backoffUntil, sql`now()`)),
);

/** Nobody holds its lease. */
export const isUnclaimed = or(isNull(connections.leaseUntil), lte(connections.leaseUntil, sql`now()`));

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
    .where(and(eq(connections.id, given('connectionId')), isWorkable, isUnclaimed))
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

/** Gives the lease back unused, for instance at shutdown, so that another worker need not wait for its end. */
export async function releaseSyncLease(db: Database, lease: { connectionId: string; token: number }): Promise<void> {
  await db.update(connections).set({ leaseOwner: null, leaseUntil: null }).where(isHeld(lease));
}

/** Whether the lease is still this one. */
export function isHeld(lease: { connectionId: string; token: number }) {
  return and(eq(connections.id, lease.connectionId), eq(connections.leaseToken, lease.token));
}
