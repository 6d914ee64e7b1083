/** The rows that the stories read and write, as values: a statement replaces a row, it never changes one. */
import type {
  BookingEffect,
  BookingIntent,
  BusyInterval,
  Connection,
  DeadLetter,
  ExternalChange,
  LastError,
} from '@bookiji/db';

/** One row of `external_calendar_events`: busy time with `bookingId` null, else a booking's mapping. */
export interface EventRow {
  readonly connectionId: string;
  readonly externalEventId: string | null;
  readonly seriesId: string | null;
  readonly bookingId: string | null;
  readonly startAt: Date;
  readonly endAt: Date;
  readonly isBusy: boolean;
  readonly checksum: string;
  readonly syncStatus: 'CREATED' | 'UPDATED' | 'CANCELLED' | 'FAILED' | null;
  readonly lastError: LastError | null;
}

export interface StagedRow {
  readonly connectionId: string;
  readonly token: number;
  readonly operation: 'put' | 'drop' | 'drop_series';
  readonly id: string;
  readonly put: BusyInterval | null;
}

export type IntentRow = BookingIntent & { readonly receivedAt: Date };

export interface Tables {
  connections: Map<string, Connection>;
  /** By booking. */
  intents: Map<string, IntentRow>;
  /** By booking and connection. */
  effects: Map<string, BookingEffect>;
  events: readonly EventRow[];
  staged: readonly StagedRow[];
  deliveries: Set<string>;
  externalChanges: readonly ExternalChange[];
  deadLetters: readonly Pick<DeadLetter, 'kind' | 'subject' | 'reason'>[];
}

export function createTables(): Tables {
  return {
    connections: new Map(),
    intents: new Map(),
    effects: new Map(),
    events: [],
    staged: [],
    deliveries: new Set(),
    externalChanges: [],
    deadLetters: [],
  };
}

/** Rows are never changed in place, so a shallow copy is the whole state. */
export function copyTables(tables: Tables): Tables {
  return {
    ...tables,
    connections: new Map(tables.connections),
    intents: new Map(tables.intents),
    effects: new Map(tables.effects),
    deliveries: new Set(tables.deliveries),
  };
}

export const effectKey = (bookingId: string, connectionId: string) => `${bookingId}:${connectionId}`;

export function createConnection(
  over: Pick<Connection, 'id' | 'providerId' | 'calendarProvider'>,
  now: Date,
): Connection {
  return {
    externalCalendarId: 'primary',
    accountId: null,
    providerEmail: null,
    status: 'active',
    statusReason: null,
    syncEnabled: true,
    accessTokenExpiresAt: null,
    grantedScopes: [],
    tokenVersion: 0,
    tokenLeaseUntil: null,
    syncCursor: null,
    syncWindowStart: null,
    syncWindowEnd: null,
    requested: 1,
    applied: 0,
    syncNeeded: true,
    requestedBy: 'connect',
    notifiedAt: null,
    leaseOwner: null,
    leaseToken: 0,
    leaseUntil: null,
    lastWebhookReceivedAt: null,
    lastSyncedAt: null,
    errorCount: 0,
    lastError: null,
    backoffUntil: null,
    reconcileAt: now,
    dueSince: now,
    adoptAt: now,
    createdAt: now,
    updatedAt: now,
    ...over,
  };
}
