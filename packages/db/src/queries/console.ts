/** What the operators' console shows: connections searched and paged, one connection's past and week, who turned what. */
import { and, asc, count, desc, eq, gt, inArray, lt, or, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import type { CalendarProvider } from '../schema/calendar-provider.ts';
import {
  auditLog,
  bookingEffects,
  type Connection,
  connectionColumns,
  connections,
  deliveries,
  events,
  operatorSwitches,
  syncRuns,
} from '../schema/index.ts';
import type { ConnectionOfProvider } from './connections.ts';
import { hasUnreadableItems } from './unreadable-items.ts';

/** States that an operator looks for; `waiting` is active with a backoff that is not over, `failing` active with errors. */
export const CONNECTION_STATES = ['active', 'waiting', 'failing', 'reauth_required', 'disabled'] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

export interface ConnectionSearch {
  /** The beginning of a connection's or provider's id; anything else finds nothing. */
  readonly idPrefix?: string;
  readonly state?: ConnectionState;
  readonly calendarProvider?: CalendarProvider;
}

const isWaiting = and(eq(connections.status, 'active'), gt(connections.backoffUntil, sql`now()`));
const STATE_CONDITIONS: Readonly<Record<ConnectionState, SQL | undefined>> = {
  active: eq(connections.status, 'active'),
  waiting: isWaiting,
  failing: and(eq(connections.status, 'active'), gt(connections.errorCount, 0)),
  reauth_required: eq(connections.status, 'reauth_required'),
  disabled: eq(connections.status, 'disabled'),
};

/** One page, those with trouble first, and how many there are in all. */
export async function searchConnections(
  db: Database,
  search: ConnectionSearch,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ readonly total: number; readonly connections: ConnectionOfProvider[] }> {
  const condition = and(
    search.state === undefined ? undefined : STATE_CONDITIONS[search.state],
    search.calendarProvider === undefined ? undefined : eq(connections.calendarProvider, search.calendarProvider),
    search.idPrefix === undefined
      ? undefined
      : or(startsWith(connections.id, search.idPrefix), startsWith(connections.providerId, search.idPrefix)),
  );
  const [rows, [counted]] = await Promise.all([
    db
      .select({ ...connectionColumns, hasDoubts: hasUnreadableItems(sql`external_calendar_connections.id`) })
      .from(connections)
      .where(condition)
      .orderBy(
        sql`${connections.status} = 'active'`,
        desc(connections.errorCount),
        asc(connections.createdAt),
        asc(connections.id),
      )
      .limit(page.limit)
      .offset(page.offset),
    db.select({ total: count() }).from(connections).where(condition),
  ]);
  return { total: counted?.total ?? 0, connections: rows };
}

function startsWith(column: typeof connections.id | typeof connections.providerId, prefix: string): SQL {
  return sql`starts_with(${column}::text, ${prefix.toLowerCase()})`;
}

export interface ConnectionCount {
  readonly calendarProvider: CalendarProvider;
  readonly status: Connection['status'];
  readonly count: number;
  readonly failing: number;
  readonly waiting: number;
}

export async function countConnections(db: Database): Promise<ConnectionCount[]> {
  return db
    .select({
      calendarProvider: connections.calendarProvider,
      status: connections.status,
      count: count(),
      failing: sql<number>`count(*) FILTER (WHERE ${STATE_CONDITIONS.failing})::int`,
      waiting: sql<number>`count(*) FILTER (WHERE ${isWaiting})::int`,
    })
    .from(connections)
    .groupBy(connections.calendarProvider, connections.status);
}

export type SyncRun = typeof syncRuns.$inferSelect;

export async function listRunsOf(db: Database, connectionId: string, limit: number): Promise<SyncRun[]> {
  return db
    .select()
    .from(syncRuns)
    .where(eq(syncRuns.connectionId, connectionId))
    .orderBy(desc(syncRuns.finishedAt))
    .limit(limit);
}

export type Delivery = typeof deliveries.$inferSelect;

export async function listDeliveriesOf(db: Database, connectionId: string, limit: number): Promise<Delivery[]> {
  return db
    .select()
    .from(deliveries)
    .where(eq(deliveries.connectionId, connectionId))
    .orderBy(desc(deliveries.receivedAt))
    .limit(limit);
}

/** One stretch of a connection's calendar: the provider's own busy time, or a booking of ours. */
export interface CalendarStretch {
  readonly startAt: Date;
  readonly endAt: Date;
  readonly bookingId: string | null;
  readonly syncStatus: 'CREATED' | 'UPDATED' | 'CANCELLED' | 'FAILED' | null;
}

/** What overlaps `[from, to)` in this connection's calendar and takes time there. */
export async function listStretches(
  db: Database,
  connectionId: string,
  span: { readonly from: Date; readonly to: Date },
  limit: number,
): Promise<CalendarStretch[]> {
  return db
    .select({
      startAt: events.startTime,
      endAt: events.endTime,
      bookingId: events.bookingId,
      syncStatus: events.syncStatus,
    })
    .from(events)
    .where(
      and(
        eq(events.connectionId, connectionId),
        eq(events.isBusy, true),
        lt(events.startTime, span.to),
        gt(events.endTime, span.from),
      ),
    )
    .orderBy(events.startTime)
    .limit(limit);
}

export type TroubledBooking = Pick<
  typeof bookingEffects.$inferSelect,
  'bookingId' | 'errorCount' | 'lastError' | 'nextAttemptAt' | 'deadAt'
>;

/** Bookings that are not in this connection's calendar as they should be: failed, waiting or given up. */
export async function listTroubledBookings(
  db: Database,
  connectionId: string,
  limit: number,
): Promise<TroubledBooking[]> {
  return db
    .select({
      bookingId: bookingEffects.bookingId,
      errorCount: bookingEffects.errorCount,
      lastError: bookingEffects.lastError,
      nextAttemptAt: bookingEffects.nextAttemptAt,
      deadAt: bookingEffects.deadAt,
    })
    .from(bookingEffects)
    .where(
      and(
        eq(bookingEffects.connectionId, connectionId),
        sql`${bookingEffects.appliedVersion} < ${bookingEffects.version}`,
      ),
    )
    .orderBy(desc(bookingEffects.errorCount), asc(bookingEffects.receivedAt))
    .limit(limit);
}

export interface RunMinute {
  /** 0 is the current minute, 1 the one before it. */
  readonly minutesAgo: number;
  readonly done: number;
  readonly failed: number;
}

/** Finished syncs per minute; minutes without any are left out. */
export async function countRunsPerMinute(db: Database, minutes: number): Promise<RunMinute[]> {
  const ago = sql<number>`(floor(extract(epoch FROM now()) / 60) - floor(extract(epoch FROM ${syncRuns.finishedAt}) / 60))::int`;
  return db
    .select({
      minutesAgo: ago,
      done: sql<number>`count(*) FILTER (WHERE ${syncRuns.error} IS NULL)::int`,
      failed: sql<number>`count(*) FILTER (WHERE ${syncRuns.error} IS NOT NULL)::int`,
    })
    .from(syncRuns)
    .where(gt(syncRuns.finishedAt, sql`now() - ${minutes} * interval '1 minute'`))
    .groupBy(sql`1`);
}

export type OperatorSwitch = typeof operatorSwitches.$inferSelect;

export async function listSwitches(db: Database): Promise<OperatorSwitch[]> {
  return db.select().from(operatorSwitches).orderBy(operatorSwitches.name);
}

export type OperatorLogEntry = typeof auditLog.$inferSelect;

/** What operators did, newest first; about these subjects alone when some are given. */
export async function listOperatorLog(
  db: Database,
  limit: number,
  subjects?: readonly string[],
): Promise<OperatorLogEntry[]> {
  return db
    .select()
    .from(auditLog)
    .where(subjects === undefined ? undefined : inArray(auditLog.subject, [...subjects]))
    .orderBy(desc(auditLog.id))
    .limit(limit);
}
