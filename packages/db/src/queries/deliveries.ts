/**
 * Taking notifications in. One statement for everything that arrived together: it judges each notification, stores the
 * receipts of the new ones, and raises their connections' `requested`. When it returns, the intent is on disk.
 */
import { lt, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { deliveries } from '../schema/index.ts';
import type { Allowlists } from './sync-leases.ts';

/** A notification whose secret was already proven; only what needs the database is judged here. */
export interface ProvenNotification {
  readonly connectionId: string;
  /** Null for the signed-body form, which names the connection itself. */
  readonly channelId: string | null;
  /** Google's resource id as delivered; null where the calendar provider has none. */
  readonly resourceId: string | null;
  /** Graph's subscription id as delivered; null for Google. */
  readonly subscriptionId: string | null;
  /** What makes a repeat recognisable; null when there is nothing trustworthy: then it is never a duplicate. */
  readonly deliveryKey: string | null;
  /** The greeting of a new channel: judged like any other, never recorded. */
  readonly isHandshake?: boolean;
}

export type DeliveryVerdict =
  | 'accepted'
  | 'duplicate'
  /** A genuine greeting. */
  | 'handshake'
  /** The connection is gone or was never there. */
  | 'unknown_connection'
  /** It, or its provider, is not on a list. */
  | 'not_allowed'
  /** No such channel of this connection. */
  | 'unknown_channel'
  /** The resource or the subscription is another channel's. */
  | 'unauthentic'
  /** Proven by its channel, about a subscription that no channel has. */
  | 'unknown_subscription'
  /** A channel we ended; it may go on delivering for a while. */
  | 'retired_channel';

/**
 * Records what is new, in one statement. Judged in this order: authentic, on the lists, known.
 *
 * Locks are taken in the order of the keys, so two processes that take in overlapping batches wait for each other
 * instead of deadlocking.
 *
 * @param allow null restricts nothing.
 * @returns one verdict per notification, in the order given.
 */
export async function recordDeliveries(
  db: Database,
  notifications: readonly ProvenNotification[],
  allow: Allowlists,
): Promise<DeliveryVerdict[]> {
  const items = notifications.map((item, ordinal) => ({
    ordinal,
    connection_id: item.connectionId,
    channel_id: item.channelId,
    resource_id: storable(item.resourceId),
    subscription_id: storable(item.subscriptionId),
    // Without a key of its own each notification is its own delivery.
    delivery_key: storable(item.deliveryKey),
    is_handshake: item.isHandshake === true,
  }));
  const [providers, listed] = [allow.providerIds, allow.connectionIds].map((ids) => ids && JSON.stringify(ids));
  const rows = await db.execute<{ ordinal: number; verdict: DeliveryVerdict }>(sql`
    WITH item AS (
      SELECT ordinal, connection_id, channel_id, resource_id, subscription_id, is_handshake,
             coalesce(delivery_key, 'unkeyed:' || gen_random_uuid()) AS delivery_key
        FROM jsonb_to_recordset(${JSON.stringify(items)}::text::jsonb)
          AS i (ordinal int, connection_id uuid, channel_id text, resource_id text, subscription_id text, delivery_key text,
                is_handshake boolean)
    ), judged AS (
      SELECT item.*, CASE
          WHEN c.id IS NOT NULL AND item.channel_id IS NOT NULL AND h.id IS NULL THEN 'unknown_channel'
          WHEN h.resource_id <> item.resource_id OR (h.subscription_id <> item.subscription_id AND EXISTS (
                 SELECT FROM channels o WHERE o.subscription_id = item.subscription_id)) THEN 'unauthentic'
          WHEN NOT ${listed}::text::jsonb ? item.connection_id::text THEN 'not_allowed'
          WHEN c.id IS NULL THEN 'unknown_connection'
          WHEN NOT ${providers}::text::jsonb ? c.provider_id::text THEN 'not_allowed'
          WHEN h.subscription_id <> item.subscription_id THEN 'unknown_subscription'
          WHEN item.is_handshake THEN 'handshake'
          WHEN h.state = 'retired' THEN 'retired_channel'
          ELSE 'genuine' END AS verdict
        FROM item
        LEFT JOIN external_calendar_connections c ON c.id = item.connection_id
        LEFT JOIN channels h ON h.id = item.channel_id AND h.connection_id = item.connection_id
    ), receipt AS (
      INSERT INTO deliveries (connection_id, delivery_key, channel_id)
      SELECT DISTINCT ON (connection_id, delivery_key) connection_id, delivery_key, channel_id
        FROM judged WHERE verdict = 'genuine' ORDER BY connection_id, delivery_key
      ON CONFLICT DO NOTHING
      RETURNING connection_id, delivery_key
    ), locked AS (
      SELECT id FROM external_calendar_connections
       WHERE id IN (SELECT connection_id FROM receipt) ORDER BY id FOR NO KEY UPDATE
    ), raised AS (
      UPDATE external_calendar_connections c
         SET requested = c.requested + 1, requested_by = 'webhook', last_webhook_received_at = now(),
             notified_at = coalesce(c.notified_at, now())
        FROM locked WHERE c.id = locked.id
    )
    SELECT j.ordinal, CASE
        WHEN j.verdict <> 'genuine' THEN j.verdict
        WHEN r.delivery_key IS NOT NULL
         AND j.ordinal = min(j.ordinal) FILTER (WHERE j.verdict = 'genuine')
                           OVER (PARTITION BY j.connection_id, j.delivery_key) THEN 'accepted'
        ELSE 'duplicate' END AS verdict
      FROM judged j
      LEFT JOIN receipt r ON r.connection_id = j.connection_id AND r.delivery_key = j.delivery_key
     ORDER BY j.ordinal`);
  return rows.map((row) => row.verdict);
}

/** PostgreSQL's text takes neither NUL nor half a character; what carries one was made by hand and equals nothing stored. */
function storable(text: string | null): string | null {
  return text === null ? null : text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** How long receipts are kept, and how many per connection at most. */
export interface DeliveryRetention {
  readonly days: number;
  readonly perConnection: number;
}

/** Forgets receipts that are too old, then those beyond the newest `perConnection` of each connection. */
export async function pruneDeliveries(db: Database, keep: DeliveryRetention): Promise<number> {
  const old = await db
    .delete(deliveries)
    .where(lt(deliveries.receivedAt, sql`now() - ${keep.days} * interval '1 day'`))
    .returning({ id: deliveries.connectionId });
  const surplus = await db.execute(sql`
    DELETE FROM deliveries d USING (
      SELECT connection_id, delivery_key,
             row_number() OVER (PARTITION BY connection_id ORDER BY received_at DESC) AS position
        FROM deliveries
       WHERE connection_id IN (SELECT connection_id FROM deliveries GROUP BY connection_id HAVING count(*) > ${keep.perConnection})
    ) ranked
     WHERE ranked.position > ${keep.perConnection}
       AND d.connection_id = ranked.connection_id AND d.delivery_key = ranked.delivery_key`);
  return old.length + surplus.count;
}
