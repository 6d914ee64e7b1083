/** The registrations for push, whose only record is here: Google has no list of them. */
import { and, asc, eq, getTableColumns, inArray, lte, ne, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import type { CalendarProvider } from '../schema/calendar-provider.ts';
import { type Channel, channels, connections } from '../schema/index.ts';
import { type Allowlists, isAllowed } from './allowlists.ts';

/** When a channel needs looking after. */
export interface UpkeepSettings {
  /** How long before its end a channel is renewed; one that lives shortly, in the second half of its life. */
  readonly renewBeforeSeconds: number;
  /** A channel that announced nothing of what changed for this long is silent. */
  readonly silentAfterSeconds: number;
  /** Of the newest channel secret: a channel made with another one is replaced, so that the other can be taken away. */
  readonly secretMark: string;
}

/**
 * Why a channel needs looking after:
 * `ending`: its end is near, or its provider asked for its renewal;
 * `silent`: it lives on and announces nothing;
 * `outdated`: it was made with a secret that is not the newest, and extending it would not change that;
 * `unconfirmed`: Graph drops subscriptions without a word, and tells when asked.
 */
export type UpkeepReason = 'ending' | 'silent' | 'outdated' | 'unconfirmed';

export type ChannelInUse = Channel & { readonly upkeep: UpkeepReason | null };

/** A subscription is renewed at least this often, which also shows that it is still there. */
const CONFIRM_EVERY = sql.raw(`interval '12 hours'`);
/** A silent channel's successor that is silent too waits twice as long, up to this. */
const SILENT_AT_MOST = sql.raw(`interval '1 day'`);

/** Why the channel `channels` of the connection `external_calendar_connections` needs looking after; null when it does not. */
function upkeepOf({ renewBeforeSeconds, silentAfterSeconds, secretMark }: UpkeepSettings) {
  const lead = sql`${renewBeforeSeconds} * interval '1 second'`;
  const halfLife = sql`greatest(channels.expires_at - channels.updated_at, interval '0') / 2`;
  const formerlySilent = sql`(SELECT count(*) FROM channels f WHERE f.connection_id = channels.connection_id
                               AND f.state = 'retired' AND f.unannounced_at IS NOT NULL)`;
  const patience = sql`least(${SILENT_AT_MOST}, ${silentAfterSeconds} * interval '1 second' * power(2, least(20, ${formerlySilent})))`;
  return sql<UpkeepReason | null>`CASE
    WHEN channels.unannounced_at <= now() - ${patience}
     AND (external_calendar_connections.last_webhook_received_at <= channels.unannounced_at
          OR external_calendar_connections.last_webhook_received_at IS NULL) THEN 'silent'
    WHEN channels.secret_mark <> ${secretMark} THEN 'outdated'
    WHEN channels.expires_at <= now() + least(${lead}, ${halfLife}) THEN 'ending'
    WHEN channels.calendar_provider = 'microsoft' AND channels.updated_at <= now() - ${CONFIRM_EVERY} THEN 'unconfirmed'
    END`;
}

/** True of every active channel of which {@link upkeepOf} may be said, and of few others; by the channel's own row alone. */
function mayNeedUpkeep({ renewBeforeSeconds, secretMark }: UpkeepSettings) {
  return sql`channels.unannounced_at IS NOT NULL OR channels.secret_mark <> ${secretMark}
     OR channels.expires_at <= now() + ${renewBeforeSeconds} * interval '1 second'
     OR (channels.calendar_provider = 'microsoft' AND channels.updated_at <= now() - ${CONFIRM_EVERY})`;
}

/** Stored before the provider is asked: its handshake may come before its answer. */
export async function insertRegisteringChannel(
  db: Database,
  channel: { id: string; connectionId: string; calendarProvider: CalendarProvider; secretMark: string },
): Promise<void> {
  await db.insert(channels).values({ ...channel, lookedAfterAt: sql`now()` });
}

/** @returns false when the channel was ended meanwhile: who asked for it stood still, and others gave it up. */
export async function activateChannel(
  db: Database,
  id: string,
  opened: { resourceId: string | null; subscriptionId: string | null; expiresAt: Date },
): Promise<boolean> {
  const activated = await db
    .update(channels)
    .set({ ...opened, state: 'active', unannouncedAt: null, updatedAt: sql`now()` })
    .where(and(eq(channels.id, id), ne(channels.state, 'retired')))
    .returning({ id: channels.id });
  return activated.length > 0;
}

/** Of a channel that was opened after it was given up: as one that nobody knows of, the next look ends it. */
export async function noteOpenedLate(
  db: Database,
  id: string,
  opened: { resourceId: string | null; subscriptionId: string | null; expiresAt: Date },
): Promise<void> {
  await db
    .update(channels)
    .set({ ...opened, state: 'registering', updatedAt: sql`now()` })
    .where(eq(channels.id, id));
}

export async function setChannelState(db: Database, id: string, state: 'retired' | 'failed'): Promise<void> {
  await db.update(channels).set({ state, updatedAt: sql`now()` }).where(eq(channels.id, id));
}

/** Not retired, oldest first, each with the reason to look after it. */
export async function listChannelsInUse(
  db: Database,
  connectionId: string,
  settings: UpkeepSettings,
): Promise<ChannelInUse[]> {
  return db
    .select({ ...getTableColumns(channels), upkeep: upkeepOf(settings) })
    .from(channels)
    .innerJoin(connections, eq(connections.id, channels.connectionId))
    .where(and(eq(channels.connectionId, connectionId), ne(channels.state, 'retired')))
    .orderBy(asc(channels.createdAt), asc(channels.id));
}

/** Every channel that may still exist at the calendar provider. */
export async function listChannelsOf(db: Database, connectionId: string): Promise<Channel[]> {
  return db
    .select()
    .from(channels)
    .where(and(eq(channels.connectionId, connectionId), ne(channels.state, 'retired')))
    .orderBy(asc(channels.createdAt));
}

/** Notes that upkeep of a connection's channels is being tried, so that a failed try is not repeated at once. */
export async function noteUpkeep(db: Database, connectionId: string): Promise<void> {
  await db
    .update(channels)
    .set({ lookedAfterAt: sql`now()` })
    .where(and(eq(channels.connectionId, connectionId), ne(channels.state, 'retired')));
}

/** Asks for a channel's renewal at once, whatever its end. */
export async function requestRenewal(db: Database, id: string): Promise<void> {
  await db
    .update(channels)
    .set({ expiresAt: sql`now()`, lookedAfterAt: null })
    .where(and(eq(channels.id, id), eq(channels.state, 'active')));
}

/**
 * Active, allowed connections whose channels need looking after: there is none, none that needs nothing, more than one,
 * or one of which nobody knows whether it was opened. What was tried a minute ago waits, and twice as long with each
 * refusal, up to an hour.
 *
 * Channels are read in three passes without a look at anything else; only what they leave is judged one by one.
 */
export async function findConnectionsToWatch(
  db: Database,
  allow: Allowlists,
  settings: UpkeepSettings,
  limit: number,
): Promise<string[]> {
  const rows = await db.execute<{ id: string }>(sql`
    WITH candidate AS MATERIALIZED (
      SELECT c.id FROM external_calendar_connections c
       WHERE c.status = 'active' AND c.sync_enabled
         AND NOT EXISTS (SELECT FROM channels h WHERE h.connection_id = c.id AND h.state = 'active')
      UNION
      SELECT connection_id FROM channels WHERE state = 'active' GROUP BY connection_id HAVING count(*) > 1
      UNION
      SELECT connection_id FROM channels
       WHERE state = 'registering' OR (state = 'active' AND (${mayNeedUpkeep(settings)}))
    )
    SELECT id FROM external_calendar_connections
     WHERE id IN (SELECT id FROM candidate)
       AND status = 'active' AND sync_enabled AND (backoff_until IS NULL OR backoff_until <= now())
       AND ${isAllowed(allow)}
       AND (SELECT count(*) FILTER (WHERE state = 'active') <> 1
                OR count(*) FILTER (WHERE state = 'registering') > 0
                OR bool_or(state = 'active' AND ${upkeepOf(settings)} IS NOT NULL)
              FROM channels WHERE connection_id = external_calendar_connections.id AND state <> 'retired')
       AND NOT EXISTS (SELECT FROM channels h WHERE h.connection_id = external_calendar_connections.id
                          AND h.state <> 'retired'
                          AND h.looked_after_at > now() - interval '1 minute' * least(60, power(2, (
                              SELECT count(*) FROM channels f WHERE f.connection_id = h.connection_id
                                 AND f.state IN ('failed', 'registering')))))
     LIMIT ${limit}`);
  return rows.map((row) => row.id);
}

/** Forgets channels that ended long enough ago that nothing can still be delivered for them. */
export async function pruneChannels(db: Database): Promise<number> {
  const gone = await db
    .delete(channels)
    .where(
      and(
        inArray(channels.state, ['retired', 'failed', 'registering']),
        lte(channels.updatedAt, sql`now() - interval '7 days'`),
      ),
    )
    .returning({ id: channels.id });
  return gone.length;
}
