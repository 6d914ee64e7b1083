/**
 * Taking notifications in. One statement for everything that arrived together: it judges each notification, stores the
 * receipts of the new ones, and raises their connections' `requested`. When it returns, the intent is on disk.
 */
import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { hotStatement } from '../hot-statement.ts';
import { deliveries } from '../schema/index.ts';
import type { Allowlists } from './allowlists.ts';
import { pruneRows } from './prune-rows.ts';

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

export interface RecordedDeliveries {
  /** One per notification, in the order given. */
  readonly verdicts: readonly DeliveryVerdict[];
  /**
   * Connections that were clean until now. Of the others somebody else already knows: whoever made them dirty rang,
   * whoever syncs them looks again at the end, and the sweep finds those whose ring was lost.
   */
  readonly toRing: readonly string[];
}

/**
 * Records what is new, in one statement. Judged in this order: authentic, on the lists, known.
 *
 * A connection that already waits for a look nobody has begun is not raised again: that look comes after this moment,
 * so it sees what this notification is about. Locks are taken in the order of the keys, so two processes that take in
 * overlapping batches wait for each other instead of deadlocking.
 *
 * @param allow null restricts nothing.
 */
export async function recordDeliveries(
  db: Database,
  notifications: readonly ProvenNotification[],
  allow: Allowlists,
): Promise<RecordedDeliveries> {
  const keys = notifications.map(toDeliveryKey);
  const [providers, listed] = [allow.providerIds, allow.connectionIds].map((ids) => ids && JSON.stringify(ids));
  const told = await statement(db).execute({
    connections: toArray(notifications.map(({ connectionId }) => connectionId)),
    channels: toArray(notifications.map(({ channelId }) => channelId)),
    resources: toArray(notifications.map(({ resourceId }) => storable(resourceId))),
    subscriptions: toArray(notifications.map(({ subscriptionId }) => storable(subscriptionId))),
    keys: toArray(keys),
    handshakes: toArray(notifications.map(({ isHandshake }) => (isHandshake === true ? 'true' : null))),
    providers,
    listed,
  });
  return readTold(notifications, keys, told);
}

const statement = hotStatement((db) =>
  db
    .select({
      told: sql<string>`told`,
      ordinal: sql<number>`ordinal`,
      connectionId: sql<string>`connection_id`,
      deliveryKey: sql<string>`delivery_key`,
    })
    .from(
      sql`receive_deliveries(${sql.placeholder('connections')}::text::uuid[], ${sql.placeholder('channels')}::text::text[],
                             ${sql.placeholder('resources')}::text::text[], ${sql.placeholder('subscriptions')}::text::text[],
                             ${sql.placeholder('keys')}::text::text[], ${sql.placeholder('handshakes')}::text::boolean[],
                             ${sql.placeholder('providers')}::text::jsonb, ${sql.placeholder('listed')}::text::jsonb)`,
    )
    .prepare('receive_deliveries'),
);

/** Without a key of its own each notification is its own delivery. */
function toDeliveryKey(item: ProvenNotification): string {
  return storable(item.deliveryKey) ?? `unkeyed:${randomUUID()}`;
}

/** An array as PostgreSQL reads it; null, which is shorter, where nothing stands in it. */
function toArray(values: readonly (string | null)[]): string | null {
  if (values.every((value) => value === null)) return null;
  return `{${values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`)).join()}}`;
}

/** What the function says; see its migration. */
interface Told {
  readonly told: string;
  readonly ordinal: number;
  readonly connectionId: string;
  readonly deliveryKey: string;
}

function readTold(
  notifications: readonly ProvenNotification[],
  keys: readonly string[],
  rows: readonly Told[],
): RecordedDeliveries {
  const verdicts: DeliveryVerdict[] = Array(keys.length).fill('duplicate');
  const toRing: string[] = [];
  const judged = new Set<number>();
  const stored = new Set<string>();
  let isComplete = false;
  for (const { told, ordinal, connectionId, deliveryKey } of rows) {
    if (told === 'ring') toRing.push(connectionId);
    else if (told === 'complete') isComplete = true;
    else if (told === 'stored') stored.add(`${connectionId} ${deliveryKey}`);
    else {
      verdicts[ordinal] = told as DeliveryVerdict;
      judged.add(ordinal);
    }
  }
  for (const [ordinal, { connectionId }] of notifications.entries()) {
    if (judged.has(ordinal)) continue;
    // Of several alike in one batch one receipt was stored; the first of them is the new one.
    if (isComplete || stored.delete(`${connectionId} ${keys[ordinal]}`)) verdicts[ordinal] = 'accepted';
  }
  return { verdicts, toRing };
}

/** PostgreSQL's text takes neither NUL nor half a character; what carries one was made by hand and equals nothing stored. */
function storable(text: string | null): string | null {
  if (text === null || PLAIN.test(text)) return text;
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

const PLAIN = /^[\x20-\x7e]*$/;

/** How long receipts are kept, and how many per connection. */
export interface DeliveryRetention {
  readonly seconds: number;
  /** So many of a connection are kept however old they are: what is delivered again is known for what it is. */
  readonly atLeast: number;
  /** However young they are. */
  readonly atMost: number;
}

/** Connections whose receipts one statement goes through. */
const BATCH = 200;

/** Forgets receipts that are too old or too many; returns how many. */
export async function pruneDeliveries(db: Database, keep: DeliveryRetention): Promise<number> {
  let pruned = 0;
  let after: string | null = null;
  do {
    const batch: { id: string }[] = await db.execute<{ id: string }>(sql`
      SELECT id FROM external_calendar_connections WHERE ${after}::uuid IS NULL OR id > ${after}::uuid
       ORDER BY id LIMIT ${BATCH}`);
    after = batch.length < BATCH ? null : (batch.at(-1)?.id ?? null);
    pruned += await pruneBatch(
      db,
      batch.map(({ id }) => id),
      keep,
    );
  } while (after !== null);
  return pruned + (await pruneOrphans(db, keep));
}

/** Receipts that were stored in the moment in which their connection was deleted. */
function pruneOrphans(db: Database, { seconds }: DeliveryRetention): Promise<number> {
  return pruneRows(
    db,
    deliveries,
    sql`${deliveries.receivedAt} < now() - ${seconds} * interval '1 second'
        AND NOT EXISTS (SELECT FROM external_calendar_connections c WHERE c.id = ${deliveries.connectionId})`,
  );
}

async function pruneBatch(
  db: Database,
  connectionIds: readonly string[],
  { seconds, atLeast, atMost }: DeliveryRetention,
): Promise<number> {
  const rows = await db.execute(sql`
    DELETE FROM deliveries d USING (
      SELECT connection_id, delivery_key, received_at,
             row_number() OVER (PARTITION BY connection_id ORDER BY received_at DESC) AS position
        FROM deliveries WHERE connection_id IN ${connectionIds.length === 0 ? [null] : [...connectionIds]}
    ) ranked
     WHERE d.connection_id = ranked.connection_id AND d.delivery_key = ranked.delivery_key
       AND (ranked.position > ${atMost}
            OR (ranked.position > ${atLeast} AND ranked.received_at < now() - ${seconds} * interval '1 second'))`);
  return rows.count;
}
