import { getTableColumns, sql } from 'drizzle-orm';
import { bigint, boolean, integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Fencing numbers of a row that comes back under its old id start beyond those of its former life. */
export const byClock = sql<number>`(extract(epoch FROM clock_timestamp()) * 1000)::bigint`;

const instant = () => timestamp({ withTimezone: true, mode: 'date' });

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
 * intent, jobs only say "look here". Indexes and checks stand in `migrations/0002_uniqueness.sql`.
 */
export const connections = pgTable('external_calendar_connections', {
  id: uuid().notNull().defaultRandom(),
  providerId: uuid().notNull(),
  calendarProvider: text().$type<'google' | 'microsoft'>().notNull(),
  externalCalendarId: text().notNull().default('primary'),
  accountId: text(),
  providerEmail: text(),
  status: text().$type<'active' | 'reauth_required' | 'disabled'>().notNull().default('active'),
  statusReason: text(),
  syncEnabled: boolean().notNull().default(true),
  accessTokenSealed: text(),
  refreshTokenSealed: text(),
  accessTokenExpiresAt: instant(),
  grantedScopes: text().array().notNull().default([]),
  tokenVersion: bigint({ mode: 'number' }).notNull().default(byClock),
  tokenLeaseUntil: instant(),
  syncCursor: text(),
  syncWindowStart: instant(),
  syncWindowEnd: instant(),
  requested: bigint({ mode: 'number' }).notNull().default(1),
  applied: bigint({ mode: 'number' }).notNull().default(0),
  syncNeeded: boolean().generatedAlwaysAs(sql`requested > applied`),
  requestedBy: text().$type<RequestedBy>().notNull().default('connect'),
  notifiedAt: instant(),
  leaseOwner: text(),
  leaseToken: bigint({ mode: 'number' }).notNull().default(byClock),
  leaseUntil: instant(),
  lastWebhookReceivedAt: instant(),
  lastSyncedAt: instant(),
  errorCount: integer().notNull().default(0),
  lastError: jsonb().$type<LastError>(),
  backoffUntil: instant(),
  reconcileAt: instant().notNull().defaultNow(),
  dueSince: instant().notNull().defaultNow(),
  adoptAt: instant().notNull().default(sql`now() + interval '1 minute'`),
  createdAt: instant().notNull().defaultNow(),
  updatedAt: instant().notNull().defaultNow(),
});

/** Who asked for a sync. */
export type RequestedBy = 'webhook' | 'manual' | 'availability' | 'schedule' | 'retry' | 'connect';

const { accessTokenSealed: _access, refreshTokenSealed: _refresh, ...openColumns } = getTableColumns(connections);
/** All but the sealed tokens: most processes may not even read those, and whoever may asks `readCredentials`. */
export const connectionColumns = openColumns;
export type Connection = Omit<typeof connections.$inferSelect, 'accessTokenSealed' | 'refreshTokenSealed'>;
