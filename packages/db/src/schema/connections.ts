import { getTableColumns, sql } from 'drizzle-orm';
import { bigint, boolean, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { CalendarProvider } from './calendar-provider.ts';
import { instant } from './instant.ts';

/** Fencing numbers of a row that comes back under its old id start beyond those of its former life. */
export const byClock = sql<number>`(extract(epoch FROM clock_timestamp()) * 1000)::bigint`;

/** What went wrong last, for people and for the API. Never holds provider content. */
export interface LastError {
  /** An error kind of the provider contract, or `internal`. */
  readonly kind: string;
  /** The stable word for it; see `ProviderError.reason`. */
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly request_id?: string;
  readonly status?: number;
  /** The wait after it is the one that the calendar provider asked for: not even a person's wish ends it sooner. */
  readonly retry_after?: boolean;
  /** How often in a row, where something is given up after so many. */
  readonly times?: number;
}

/**
 * One provider's authorised link to one calendar account. Dirty while `requested > applied`; the counters are the
 * intent, jobs only say "look here". All instants are the database's.
 *
 * Keys, checks and indexes stand in the migrations: `0002_uniqueness`, `0009_record_deliveries` (what is due) and
 * `0021_adoptions`; the triggers in `0020_events_of_connections` and `0022_due_since`.
 */
export const connections = pgTable('external_calendar_connections', {
  /** Derived from `providerId` and `calendarProvider` (decision 0003). */
  id: uuid().notNull().defaultRandom(),
  /** The person who is booked. */
  providerId: uuid().notNull(),
  calendarProvider: text().$type<CalendarProvider>().notNull(),
  /** The calendar's id at its provider; connecting always stores `primary`, the account's own. */
  externalCalendarId: text().notNull().default('primary'),
  /** Who granted, by the calendar provider's id of the account; null where it did not say. Another one starts afresh. */
  accountId: text(),
  /** The account's address, where the calendar provider gave one. */
  providerEmail: text(),
  /** `reauth_required`: the grant is dead; `disabled`: the calendar is gone. Both end when the owner connects again. */
  status: text().$type<'active' | 'reauth_required' | 'disabled'>().notNull().default('active'),
  /** Why it is not active, in words for its owner; `disconnect_requested` while it is being disconnected. */
  statusReason: text(),
  /** False from the wish to disconnect until the row is erased, or its owner connects again. */
  syncEnabled: boolean().notNull().default(true),
  /** Sealed under `TOKEN_ENCRYPTION_KEYS`. Ingress writes both tokens and cannot read them; workers refresh them. */
  accessTokenSealed: text(),
  /** Null where the calendar provider gave none. */
  refreshTokenSealed: text(),
  accessTokenExpiresAt: instant(),
  grantedScopes: text().array().notNull().default([]),
  /** Grows with every stored grant and refresh: what was made from an older version is not stored. */
  tokenVersion: bigint({ mode: 'number' }).notNull().default(byClock),
  /** Until then one process has the right to refresh, or, after a failed try, nobody. */
  tokenLeaseUntil: instant(),
  /** Where the next round starts, opaque; null makes it a full one. Moves with what it stands for. */
  syncCursor: text(),
  /** The window in sync, half-open; null before the first full round is complete. */
  syncWindowStart: instant(),
  syncWindowEnd: instant(),
  /** Counts the looks that were asked for; raised by whoever wants one. */
  requested: bigint({ mode: 'number' }).notNull().default(1),
  /** The value of `requested` that the last successful sync had noted when it began. */
  applied: bigint({ mode: 'number' }).notNull().default(0),
  /** What the index of due connections is over: unlike the counters, it does not change while a connection stays dirty. */
  syncNeeded: boolean().generatedAlwaysAs(sql`requested > applied`),
  /** Who asked last. */
  requestedBy: text().$type<RequestedBy>().notNull().default('connect'),
  /** When the oldest notification was accepted that no sync has answered; null for none. The start of the change lag. */
  notifiedAt: instant(),
  /** The worker that claimed it last; null once it gave the lease back. */
  leaseOwner: text(),
  /** The fencing token: grows with every claim and with every grant, and is shown to record a result. */
  leaseToken: bigint({ mode: 'number' }).notNull().default(byClock),
  /** The lease's end; null once it was given back. */
  leaseUntil: instant(),
  /** The last genuine notification; of several within a second the first, while a look is still to come. */
  lastWebhookReceivedAt: instant(),
  /** When the last successful sync was committed; null before the first, and again for another account. */
  lastSyncedAt: instant(),
  /** Failed syncs since the last that succeeded, those aside that spend no attempt. */
  errorCount: integer().notNull().default(0),
  /** Null after a success. */
  lastError: jsonb().$type<LastError>(),
  /** No sync before then. Written by a failure; cleared by success, by a new grant, and by a person's wish. */
  backoffUntil: instant(),
  /** Looked at again then, notification or not. */
  reconcileAt: instant().notNull().defaultNow(),
  /** Since when a look is due: the last one, or the first wish after it, whichever is later. Written by a trigger. */
  dueSince: instant().notNull().defaultNow(),
  /** When the provider's bookings are next compared with this connection's effects. */
  adoptAt: instant().notNull().default(sql`now() + interval '1 minute'`),
  createdAt: instant().notNull().defaultNow(),
  updatedAt: instant().notNull().defaultNow(),
});

/** Who asked for a sync; `webhook` is a notification. */
export type RequestedBy = 'webhook' | 'manual' | 'availability' | 'schedule' | 'retry' | 'connect';

const { accessTokenSealed: _access, refreshTokenSealed: _refresh, ...openColumns } = getTableColumns(connections);
/** All but the sealed tokens: most processes may not even read those, and whoever may asks `readCredentials`. */
export const connectionColumns = openColumns;
export type Connection = Omit<typeof connections.$inferSelect, 'accessTokenSealed' | 'refreshTokenSealed'>;
