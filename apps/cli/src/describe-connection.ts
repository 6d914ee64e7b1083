/** A connection in words: how it is, and what an operator can do about it. Pure. */
import type { Channel, Connection, Delivery, OperatorLogEntry, SyncRun, TroubledBooking } from '@bookiji/db';
import { explainError } from '@bookiji/sync';
import { renderTable } from './output.ts';

export function describeConnection(connection: Connection): Readonly<Record<string, unknown>> {
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
  const { id, status, statusReason, lastError, backoffUntil, lastSyncedAt, syncEnabled, calendarProvider } = connection;
  if (status === 'reauth_required') {
    const { what, todo } = explainError({ kind: 'auth_revoked', reason: '', at: '' }, calendarProvider);
    return `${what} ${todo}`;
  }
  if (status === 'disabled' || !syncEnabled)
    return `It is switched off (${statusReason ?? 'no reason kept'}); nothing is synced for it.`;
  if (lastError !== null) {
    const { what, todo, runbook } = explainError(lastError, calendarProvider);
    const next = backoffUntil === null ? '' : `The next try is at ${backoffUntil.toISOString()}. `;
    return `${what} ${todo}\n${next}To sync it now: calsync sync ${id}\nMore: docs/runbooks/${runbook}.md`;
  }
  if (lastSyncedAt === null) return `It was never synced. Check that the workers run, then: calsync sync ${id}`;
  return null;
}

export interface ConnectionFacts {
  readonly connection: Connection;
  readonly runs: readonly SyncRun[];
  readonly channels: readonly Channel[];
  readonly deliveries: readonly Delivery[];
  readonly bookings: readonly TroubledBooking[];
  readonly operatorLog: readonly OperatorLogEntry[];
}

/** For programs: everything, under the names of the columns. */
export function toDocument({ connection, runs, channels, deliveries, bookings, operatorLog }: ConnectionFacts): object {
  return {
    ...describeConnection(connection),
    advice: adviseOn(connection),
    channels: channels.map(({ id, state, expiresAt }) => ({ id, state, expires_at: expiresAt })),
    runs: runs.map((run) => ({
      requested_by: run.requestedBy,
      mode: run.mode,
      outcome: run.outcome,
      put: run.putCount,
      dropped: run.droppedCount,
      finished_at: run.finishedAt,
      error: run.error,
    })),
    deliveries: deliveries.map(({ receivedAt }) => ({ received_at: receivedAt })),
    troubled_bookings: bookings.map((one) => ({
      booking_id: one.bookingId,
      error_count: one.errorCount,
      last_error: one.lastError,
      next_attempt_at: one.nextAttemptAt,
      dead_at: one.deadAt,
    })),
    operator_log: operatorLog.map(({ actor, action, details, createdAt }) => ({
      actor,
      action,
      details,
      at: createdAt,
    })),
  };
}

/** For people. */
export function toText(facts: ConnectionFacts): string {
  const { connection, channels, operatorLog } = facts;
  return [
    renderTable(
      ['what', 'is'],
      Object.entries(describeConnection(connection)).map(([name, value]) => [name.replaceAll('_', ' '), show(value)]),
    ),
    `\n${adviseOn(connection) ?? 'Nothing is wrong with it.'}`,
    section(
      'push channels',
      ['state', 'until'],
      channels.map(({ state, expiresAt }) => [state, show(expiresAt)]),
    ),
    renderRuns(facts),
    renderBookings(facts),
    section(
      'operator log',
      ['when', 'who', 'what', 'why'],
      operatorLog.map((one) => [show(one.createdAt), one.actor, one.action, show(one.details.reason)]),
    ),
  ].join('\n');
}

function renderRuns({ runs }: ConnectionFacts): string {
  return section(
    'last syncs',
    ['finished', 'asked for by', 'mode', 'outcome', 'stored', 'removed'],
    runs.map((run) => [
      show(run.finishedAt),
      run.requestedBy,
      run.mode,
      run.outcome,
      String(run.putCount),
      String(run.droppedCount),
    ]),
  );
}

function renderBookings({ bookings, connection }: ConnectionFacts): string {
  return section(
    'bookings not in the calendar yet',
    ['booking', 'errors', 'next try', 'what is wrong'],
    bookings.map((one) => [
      one.bookingId,
      String(one.errorCount),
      one.deadAt === null ? show(one.nextAttemptAt) : 'given up',
      one.lastError === null ? '-' : explainError(one.lastError, connection.calendarProvider).what,
    ]),
  );
}

function section(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string {
  return `\n${title}\n${renderTable(header, rows)}`;
}

function show(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
