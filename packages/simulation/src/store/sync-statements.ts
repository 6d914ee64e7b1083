/** The statements about a connection's sync, said in memory: each means what the SQL of `@bookiji/db` means. */
import {
  type Connection,
  type DeliveryVerdict,
  LeaseLostError,
  type ProvenNotification,
  type RecordedDeliveries,
  type SyncClaim,
  type SyncFailure,
  type SyncSuccess,
} from '@bookiji/db';
import type { ModelDatabase, StatementContext } from './model-database.ts';

interface Lease {
  readonly connectionId: string;
  readonly token: number;
}

function isDue(connection: Connection, now: Date): boolean {
  return (
    connection.status === 'active' &&
    connection.syncEnabled &&
    connection.requested > connection.applied &&
    (connection.backoffUntil === null || connection.backoffUntil <= now) &&
    (connection.leaseUntil === null || connection.leaseUntil <= now)
  );
}

function store({ tables }: StatementContext, connection: Connection): Connection {
  const syncNeeded = connection.requested > connection.applied;
  const stored = { ...connection, syncNeeded };
  tables.connections.set(connection.id, stored);
  return stored;
}

function change(context: StatementContext, lease: Lease, over: Partial<Connection>): Connection | null {
  const held = context.tables.connections.get(lease.connectionId);
  if (held === undefined || (context.rules.isFenced && held.leaseToken !== lease.token)) return null;
  return store(context, { ...held, ...over });
}

/** A connection raised so short a while ago that nobody has begun to look since is not raised again. */
const SAID_MS = 1_000;

/** Takes what arrived together: new receipts raise `requested`, a repeat changes nothing. */
export function recordDeliveries(
  db: ModelDatabase,
  notifications: readonly Pick<ProvenNotification, 'connectionId' | 'deliveryKey'>[],
): Promise<RecordedDeliveries> {
  return db.run('record_deliveries', (context) => {
    const raised = new Set<string>();
    const verdicts = notifications.map(({ connectionId, deliveryKey }): DeliveryVerdict => {
      const held = context.tables.connections.get(connectionId);
      if (held === undefined) return 'unknown_connection';
      const receipt = `${connectionId}/${deliveryKey}`;
      if (context.tables.deliveries.has(receipt)) return 'duplicate';
      context.tables.deliveries.add(receipt);
      if (!isSaid(held, context.now)) raised.add(connectionId);
      return 'accepted';
    });
    const toRing = [...raised].filter((id) => raise(context, id));
    return { verdicts, toRing };
  });
}

function isSaid({ syncNeeded, leaseOwner, notifiedAt, lastWebhookReceivedAt }: Connection, now: Date): boolean {
  const isFresh = lastWebhookReceivedAt !== null && lastWebhookReceivedAt.getTime() > now.getTime() - SAID_MS;
  return syncNeeded === true && leaseOwner === null && notifiedAt !== null && isFresh;
}

/** True when the connection was clean until now. */
function raise(context: StatementContext, connectionId: string): boolean {
  const held = context.tables.connections.get(connectionId);
  if (held === undefined) return false;
  const { now } = context;
  const requested = held.requested + 1;
  const notifiedAt = held.notifiedAt ?? now;
  store(context, { ...held, requested, requestedBy: 'webhook', notifiedAt, lastWebhookReceivedAt: now });
  return requested === held.applied + 1;
}

export function claimSync(
  db: ModelDatabase,
  claim: { connectionId: string; owner: string; leaseMs: number },
): Promise<SyncClaim | null> {
  return db.run('claim_sync', (context) => {
    const held = context.tables.connections.get(claim.connectionId);
    if (held === undefined || !isDue(held, context.now)) return null;
    const connection = store(context, {
      ...held,
      leaseOwner: claim.owner,
      leaseToken: held.leaseToken + 1,
      leaseUntil: new Date(context.now.getTime() + claim.leaseMs),
    });
    const { calendarProvider, status, tokenVersion, leaseToken: token, requested: noted } = connection;
    // The model's calendars ask for no token.
    const grant = { accessTokenSealed: null, refreshTokenSealed: null, tokenVersion, expiresInSeconds: null };
    const hasStagedPages = context.tables.staged.some((row) => row.connectionId === claim.connectionId);
    const credentials = { calendarProvider, status, ...grant };
    return { connection, token, noted, claimedAt: context.now, credentials, hasStagedPages, hasDoubts: false };
  });
}

export async function extendSyncLease(db: ModelDatabase, lease: Lease & { leaseMs: number }): Promise<void> {
  await db.run('extend_sync_lease', (context) => {
    // One that was given back stays so.
    const isGivenBack = context.tables.connections.get(lease.connectionId)?.leaseUntil === null;
    const leaseUntil = isGivenBack ? null : new Date(context.now.getTime() + lease.leaseMs);
    if (change(context, lease, { leaseUntil }) === null) throw new LeaseLostError('the connection');
  });
}

export async function releaseSyncLease(db: ModelDatabase, lease: Lease): Promise<void> {
  await db.run('release_sync_lease', (context) => change(context, lease, { leaseOwner: null, leaseUntil: null }));
}

export function recordSyncSuccess(
  db: ModelDatabase,
  done: SyncSuccess,
): Promise<{ lookAgain: boolean; recordedAt: Date }> {
  return db.run('record_sync_success', (context) => record(context, done));
}

export function record(context: StatementContext, done: SyncSuccess): { lookAgain: boolean; recordedAt: Date } {
  const { now } = context;
  const held = context.tables.connections.get(done.connectionId);
  const lookAgain = (held?.requested ?? 0) > done.noted;
  const recorded = change(context, done, {
    applied: done.noted,
    syncCursor: done.mode === 'full' || held?.syncCursor != null ? done.cursor : null,
    syncWindowStart: done.window.startAt,
    syncWindowEnd: done.window.endAt,
    lastSyncedAt: now,
    errorCount: 0,
    lastError: null,
    backoffUntil: null,
    reconcileAt: new Date(now.getTime() + done.reconcileAfterSeconds * 1000),
    notifiedAt: lookAgain && held?.notifiedAt ? done.claimedAt : null,
    leaseOwner: null,
    leaseUntil: null,
    updatedAt: now,
  });
  if (recorded === null) throw new LeaseLostError('the connection');
  return { lookAgain, recordedAt: now };
}

export function recordSyncFailure(db: ModelDatabase, failure: SyncFailure): Promise<boolean> {
  return db.run('record_sync_failure', (context) => {
    const errorCount = context.tables.connections.get(failure.connectionId)?.errorCount ?? 0;
    const { park } = failure;
    const recorded = change(context, failure, {
      lastError: failure.error,
      backoffUntil: new Date(context.now.getTime() + failure.waitMs),
      leaseOwner: null,
      leaseUntil: null,
      updatedAt: context.now,
      errorCount: errorCount + (failure.countsAsError ? 1 : 0),
      ...(failure.dropCursor === true ? { syncCursor: null } : {}),
      ...(park === undefined ? {} : { status: park.status, statusReason: park.reason }),
    });
    return recorded !== null;
  });
}

/** Kept for people, not for decisions: the model does not hold it. */
export async function insertSyncRun(): Promise<void> {}

export async function parkConnection(
  db: ModelDatabase,
  connectionId: string,
  park: { status: 'reauth_required' | 'disabled'; reason: string },
): Promise<void> {
  await db.run('park_connection', (context) => {
    const held = context.tables.connections.get(connectionId);
    if (held !== undefined) store(context, { ...held, status: park.status, statusReason: park.reason });
  });
}

export function findDueConnections(db: ModelDatabase, limit: number): Promise<string[]> {
  return db.run('find_due_connections', ({ tables, now }) =>
    [...tables.connections.values()]
      .filter((connection) => isDue(connection, now))
      .slice(0, limit)
      .map(({ id }) => id),
  );
}

export function requestDueReconciles(db: ModelDatabase, seconds: number): Promise<number> {
  return db.run('request_due_reconciles', (context) => {
    const { tables, now } = context;
    const due = [...tables.connections.values()].filter(
      (held) => held.status === 'active' && held.syncEnabled && held.reconcileAt <= now,
    );
    const reconcileAt = new Date(now.getTime() + seconds * 1000);
    for (const held of due) {
      store(context, { ...held, requested: held.requested + 1, requestedBy: 'schedule', reconcileAt });
    }
    return due.length;
  });
}
