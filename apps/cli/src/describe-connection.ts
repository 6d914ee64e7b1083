/** A connection in words: how it is, and what an operator can do about it. Pure. */
import type { AuditEntry, Channel, Connection, Delivery, SyncRun, TroubledBooking } from '@bookiji/db';
import { renderTable } from './output.ts';

export function describeConnection(connection: Connection) {
  return {
    id: connection.id,
    provider_id: connection.providerId,
    calendar_provider: connection.calendarProvider,
    status: connection.status,
    status_reason: connection.statusReason,
    sync_enabled: connection.syncEnabled,
    sync_needed: connection.syncNeeded,
    last_synced_at: connection.lastSyncedAt,
    last_webhook_received_at: connection.lastWebhookReceivedAt,
    error_count: connection.errorCount,
    last_error: connection.lastError,
    backoff_until: connection.backoffUntil,
  };
}

export function toRow(connection: Connection): string[] {
  return [
    connection.id,
    connection.providerId,
    connection.calendarProvider,
    connection.status,
    connection.lastSyncedAt?.toISOString() ?? 'never',
    connection.syncNeeded === true ? 'yes' : 'no',
    String(connection.errorCount),
    connection.lastError === null ? '' : `${connection.lastError.kind}/${connection.lastError.reason}`,
  ];
}

/** What troubles it and what to do; null when nothing does. */
export function adviseOn(connection: Connection): string | null {
  const { id, status, lastError, backoffUntil, lastSyncedAt, syncEnabled } = connection;
  if (status === 'reauth_required')
    return 'Its owner must connect again: the calendar provider does not take our grant any more.';
  if (status === 'disabled' || !syncEnabled)
    return `It is switched off (${connection.statusReason ?? 'no reason kept'}); nothing is synced for it.`;
  if (lastError !== null && backoffUntil !== null)
    return `${adviseOnError(lastError.kind)} The next try is at ${backoffUntil.toISOString()}; sooner: calsync sync ${id}`;
  if (lastSyncedAt === null) return `It was never synced. Look whether workers run, then: calsync sync ${id}`;
  return null;
}

function adviseOnError(kind: string): string {
  switch (kind) {
    case 'rate_limited':
      return 'The calendar provider asked to come later; that passes by itself.';
    case 'transient':
      return 'The calendar provider did not answer as it should; that mostly passes by itself.';
    case 'auth_revoked':
      return 'The calendar provider refused our grant.';
    case 'not_found':
      return 'The calendar is not there any more; its owner should connect again.';
    default:
      return 'The last sync failed.';
  }
}

export interface ConnectionFacts {
  readonly connection: Connection;
  readonly runs: readonly SyncRun[];
  readonly channels: readonly Channel[];
  readonly deliveries: readonly Delivery[];
  readonly bookings: readonly TroubledBooking[];
  readonly audit: readonly AuditEntry[];
}

export function renderConnection(facts: ConnectionFacts): { document: unknown; text: string } {
  const { connection, runs, channels, deliveries, bookings, audit } = facts;
  const advice = adviseOn(connection);
  const document = {
    ...describeConnection(connection),
    advice,
    channels: channels.map(({ id, state, expiresAt }) => ({ id, state, expires_at: expiresAt })),
    runs: runs.map(({ requestedBy, mode, outcome, putCount, droppedCount, finishedAt, error }) => {
      return {
        requested_by: requestedBy,
        mode,
        outcome,
        put: putCount,
        dropped: droppedCount,
        finished_at: finishedAt,
        error,
      };
    }),
    deliveries: deliveries.map(({ receivedAt }) => ({ received_at: receivedAt })),
    troubled_bookings: bookings.map(({ bookingId, errorCount, lastError, nextAttemptAt, deadAt }) => {
      return {
        booking_id: bookingId,
        error_count: errorCount,
        last_error: lastError,
        next_attempt_at: nextAttemptAt,
        dead_at: deadAt,
      };
    }),
    audit: audit.map(({ actor, action, details, createdAt }) => ({ actor, action, details, at: createdAt })),
  };
  const text = [
    renderTable(
      ['what', 'is'],
      Object.entries(describeConnection(connection)).map(([name, value]) => [name.replaceAll('_', ' '), show(value)]),
    ),
    `\n${advice ?? 'Nothing troubles it.'}`,
    section(
      'channels',
      ['state', 'until'],
      channels.map(({ state, expiresAt }) => [state, show(expiresAt)]),
    ),
    section(
      'last syncs',
      ['finished', 'asked by', 'mode', 'outcome', 'put', 'dropped'],
      runs.map((run) => [
        show(run.finishedAt),
        run.requestedBy,
        run.mode,
        run.outcome,
        `${run.putCount}`,
        `${run.droppedCount}`,
      ]),
    ),
    section(
      'bookings that are not there yet',
      ['booking', 'errors', 'last error', 'next try'],
      bookings.map((one) => [
        one.bookingId,
        `${one.errorCount}`,
        show(one.lastError),
        one.deadAt === null ? show(one.nextAttemptAt) : 'given up',
      ]),
    ),
    section(
      'what operators did',
      ['when', 'who', 'what'],
      audit.map((one) => [show(one.createdAt), one.actor, one.action]),
    ),
  ].join('\n');
  return { document, text };
}

function section(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string {
  return `\n${title}\n${renderTable(header, rows)}`;
}

function show(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
