/** Connections as the API, OAuth and operators handle them. */
import { and, asc, eq, isNotNull, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { Database } from '../client.ts';
import type { CalendarProvider } from '../schema/calendar-provider.ts';
import {
  bookingEffects,
  type Connection,
  channels,
  connectionColumns,
  connections,
  deliveries,
  events,
} from '../schema/index.ts';
import { hasUnreadableItems, replaceUnreadableItems } from './unreadable-items.ts';

export async function findConnection(db: Database, id: string): Promise<Connection | null> {
  const [row] = await db.select(connectionColumns).from(connections).where(eq(connections.id, id));
  return row ?? null;
}

/** A connection, and whether its calendar shows something that cannot be read. */
export interface ConnectionOfProvider extends Connection {
  readonly hasDoubts: boolean;
}

export async function listConnectionsOf(db: Database, providerId: string): Promise<ConnectionOfProvider[]> {
  return db
    .select({ ...connectionColumns, hasDoubts: hasUnreadableItems(sql`external_calendar_connections.id`) })
    .from(connections)
    .where(eq(connections.providerId, providerId))
    .orderBy(asc(connections.calendarProvider));
}

/** The latest end among a connection's active channels, until when notifications can come; of the provider's connections. */
export async function listChannelExpiries(db: Database, providerId: string): Promise<Map<string, Date>> {
  const rows = await db
    .select({
      connectionId: channels.connectionId,
      expiresAt: sql<Date | null>`max(${channels.expiresAt})`.mapWith(channels.expiresAt),
    })
    .from(channels)
    .innerJoin(connections, eq(connections.id, channels.connectionId))
    .where(and(eq(connections.providerId, providerId), eq(channels.state, 'active')))
    .groupBy(channels.connectionId);
  return new Map(rows.flatMap((row) => (row.expiresAt === null ? [] : [[row.connectionId, row.expiresAt]])));
}

/** A grant that was just given, with tokens already sealed. */
export interface StoredGrant {
  readonly connectionId: string;
  readonly providerId: string;
  readonly calendarProvider: CalendarProvider;
  readonly externalCalendarId: string;
  readonly accountId: string | null;
  readonly providerEmail: string | null;
  readonly accessTokenSealed: string;
  /** Null keeps the stored one. */
  readonly refreshTokenSealed: string | null;
  readonly accessTokenExpiresInSeconds: number;
  readonly scopes: readonly string[];
}

/**
 * Stores a grant: a new connection, or the reconnect of an old one, which keeps its id and settings. Another account
 * under the same connection starts afresh: its intervals, cursor and written events belonged to another calendar.
 * Work is requested at once; errors, waits and parking end, and what waited meanwhile is no older than the reconnect.
 */
export async function storeGrant(db: Database, grant: StoredGrant): Promise<{ isNewAccount: boolean }> {
  return db.transaction(async (tx) => {
    const [before] = await tx
      .select({ accountId: connections.accountId, status: connections.status, syncEnabled: connections.syncEnabled })
      .from(connections)
      .where(eq(connections.id, grant.connectionId))
      .for('update');
    const isNewAccount = before === undefined || before.accountId !== grant.accountId;
    const wasIdle = before !== undefined && !(before.status === 'active' && before.syncEnabled);
    if (before !== undefined && isNewAccount) await forgetCalendar(tx, grant.connectionId);
    const values = {
      externalCalendarId: grant.externalCalendarId,
      accountId: grant.accountId,
      providerEmail: grant.providerEmail,
      status: 'active' as const,
      statusReason: null,
      syncEnabled: true,
      accessTokenSealed: grant.accessTokenSealed,
      accessTokenExpiresAt: sql`now() + ${grant.accessTokenExpiresInSeconds} * interval '1 second'`,
      grantedScopes: [...grant.scopes],
      // Another account's must not stay behind: an hour later it would read that account's calendar again.
      ...(grant.refreshTokenSealed === null && !isNewAccount ? {} : { refreshTokenSealed: grant.refreshTokenSealed }),
    };
    await tx
      .insert(connections)
      .values({
        id: grant.connectionId,
        providerId: grant.providerId,
        calendarProvider: grant.calendarProvider,
        ...values,
        requested: 1,
      })
      .onConflictDoUpdate({
        target: connections.id,
        set: {
          ...values,
          requested: sql`${connections.requested} + 1`,
          requestedBy: 'connect',
          tokenVersion: sql`${connections.tokenVersion} + 1`,
          tokenLeaseUntil: null,
          ...takeBackLease(connections.leaseToken),
          errorCount: 0,
          lastError: null,
          backoffUntil: null,
          ...(wasIdle ? dueSinceNow() : {}),
          updatedAt: sql`now()`,
        },
      });
    // A lost grant may have taken its channels with it, and nobody is told: they are replaced now, then closed.
    await tx
      .update(channels)
      .set({ expiresAt: sql`now()`, lookedAfterAt: null })
      .where(and(eq(channels.connectionId, grant.connectionId), eq(channels.state, 'active')));
    await resumeBookings(tx, grant.connectionId, wasIdle);
    return { isNewAccount };
  });
}

/**
 * Work that is under way speaks for the grant before this one: its results would be another calendar's, and its
 * failures would park what was just connected.
 */
function takeBackLease(token: AnyPgColumn) {
  return { leaseToken: sql`${token} + 1`, leaseOwner: null, leaseUntil: null };
}

/** How long it waited for its owner says nothing of the fleet. The trigger of 0022 leaves alone what was due before. */
function dueSinceNow() {
  return {
    dueSince: sql`now()`,
    // Null stays null: nobody was notified.
    notifiedAt: sql`CASE WHEN ${connections.notifiedAt} IS NOT NULL THEN now() END`,
  };
}

/** @param wasIdle nobody could work on them: their ages and lags count from now. */
async function resumeBookings(tx: Database, connectionId: string, wasIdle: boolean): Promise<void> {
  const isOfConnection = eq(bookingEffects.connectionId, connectionId);
  await tx
    .update(bookingEffects)
    .set(takeBackLease(bookingEffects.leaseToken))
    .where(and(isOfConnection, isNotNull(bookingEffects.leaseUntil)));
  // What waited for the grant need not wait any longer.
  await tx
    .update(bookingEffects)
    .set({ nextAttemptAt: sql`now()`, errorCount: 0, ...(wasIdle ? { receivedAt: sql`now()` } : {}) })
    .where(and(isOfConnection, sql`${bookingEffects.appliedVersion} < ${bookingEffects.version}`));
  if (!wasIdle) return;
  await tx
    .update(bookingEffects)
    .set({ inspectSince: sql`now()` })
    .where(and(isOfConnection, sql`${bookingEffects.inspected} < ${bookingEffects.inspectRequested}`));
}

async function forgetCalendar(tx: Database, connectionId: string): Promise<void> {
  await replaceUnreadableItems(tx, connectionId, []);
  await tx.delete(events).where(eq(events.connectionId, connectionId));
  await tx.delete(channels).where(eq(channels.connectionId, connectionId));
  await tx.delete(bookingEffects).where(eq(bookingEffects.connectionId, connectionId));
  await tx
    .update(connections)
    .set({ syncCursor: null, syncWindowStart: null, syncWindowEnd: null, lastSyncedAt: null })
    .where(eq(connections.id, connectionId));
}

/**
 * Forgets a connection: tokens, intervals, mappings, channels and deliveries go with it. Its id is derived from
 * provider and calendar provider, so a later connect finds the events it once wrote instead of writing them twice.
 */
export async function eraseConnection(db: Database, id: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const gone = await tx.delete(connections).where(eq(connections.id, id)).returning({ id: connections.id });
    await tx.delete(deliveries).where(eq(deliveries.connectionId, id));
    return gone.length > 0;
  });
}

/**
 * Stops work on a connection until its owner reconnects.
 *
 * @param park `tokenVersion`: only if the stored grant is still that one; a newer one was not refused.
 * @returns false when nothing was stopped.
 */
export async function parkConnection(
  db: Database,
  id: string,
  park: { status: 'reauth_required' | 'disabled'; reason: string; tokenVersion?: number },
): Promise<boolean> {
  const { status, reason, tokenVersion } = park;
  const parked = await db
    .update(connections)
    .set({ status, statusReason: reason, updatedAt: sql`now()` })
    .where(
      and(
        eq(connections.id, id),
        eq(connections.status, 'active'),
        // One that is being disconnected keeps the reason that says so.
        eq(connections.syncEnabled, true),
        tokenVersion === undefined ? undefined : eq(connections.tokenVersion, tokenVersion),
      ),
    )
    .returning({ id: connections.id });
  return parked.length > 0;
}
