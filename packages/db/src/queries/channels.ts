/** The registrations for push, whose only record is here: Google has no list of them. */
import { and, eq, inArray, lte, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { type Channel, channels, connections } from '../schema/index.ts';
import type { Allowlists } from './sync-leases.ts';

/** Stored before the provider is asked: its handshake may come before its answer. */
export async function insertRegisteringChannel(
  db: Database,
  channel: { id: string; connectionId: string; calendarProvider: 'google' | 'microsoft' },
): Promise<void> {
  await db.insert(channels).values(channel);
}

export async function activateChannel(
  db: Database,
  id: string,
  opened: { resourceId: string | null; subscriptionId: string | null; expiresAt: Date },
): Promise<void> {
  await db
    .update(channels)
    .set({ ...opened, state: 'active', updatedAt: sql`now()` })
    .where(eq(channels.id, id));
}

export async function setChannelState(db: Database, id: string, state: 'retired' | 'failed'): Promise<void> {
  await db.update(channels).set({ state, updatedAt: sql`now()` }).where(eq(channels.id, id));
}

export async function listChannelsOf(db: Database, connectionId: string): Promise<Channel[]> {
  return db.select().from(channels).where(eq(channels.connectionId, connectionId)).orderBy(channels.createdAt);
}

/** Active, allowed connections without a channel that lives longer than `leadSeconds`: theirs must be opened or renewed. */
export async function findConnectionsWithoutLastingChannel(
  db: Database,
  allow: Allowlists,
  leadSeconds: number,
  limit: number,
): Promise<string[]> {
  const rows = await db.execute<{ id: string }>(sql`
    SELECT c.id FROM external_calendar_connections c
     WHERE c.status = 'active' AND c.sync_enabled AND (c.backoff_until IS NULL OR c.backoff_until <= now())
       AND (${list(allow.providerIds)}::text IS NULL OR ${list(allow.providerIds)}::text::jsonb ? c.provider_id::text)
       AND (${list(allow.connectionIds)}::text IS NULL OR ${list(allow.connectionIds)}::text::jsonb ? c.id::text)
       AND NOT EXISTS (SELECT FROM channels h WHERE h.connection_id = c.id AND h.state = 'active'
                          AND (h.expires_at IS NULL OR h.expires_at > now() + ${leadSeconds} * interval '1 second'))
       AND NOT EXISTS (SELECT FROM channels h WHERE h.connection_id = c.id AND h.state IN ('registering', 'failed')
                          AND h.updated_at > now() - interval '1 minute' * least(60, power(2, (
                              SELECT count(*) FROM channels f WHERE f.connection_id = c.id AND f.state = 'failed'))))
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

/** The connection of a Graph subscription, for lifecycle notifications. */
export async function findChannelBySubscription(db: Database, subscriptionId: string): Promise<Channel | null> {
  const [row] = await db
    .select()
    .from(channels)
    .innerJoin(connections, eq(connections.id, channels.connectionId))
    .where(eq(channels.subscriptionId, subscriptionId));
  return row?.channels ?? null;
}

function list(ids: readonly string[] | null): string | null {
  return ids === null ? null : JSON.stringify(ids);
}
