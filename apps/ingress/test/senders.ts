/** What calendar providers send, and who they send it about. */
import { createHmac, randomUUID } from 'node:crypto';
import { channelSecret, createChannelId } from '@bookiji/sync';
import { type BuiltConnection, insertChannel, insertConnection, type TestDatabase } from '@bookiji/testing';
import { CHANNEL_SECRETS } from './ingress-harness.ts';

export const GOOGLE = '/api/webhooks/calendar/google';
export const MICROSOFT = '/api/webhooks/calendar/microsoft';

type Provider = 'google' | 'microsoft';
type Headers = Record<string, string>;

export interface Sender {
  readonly connection: BuiltConnection;
  readonly channelId: string;
  readonly secret: string;
  readonly resourceId: string;
  readonly subscriptionId: string;
  /** Google's headers; undefined leaves one out. */
  headers(over?: Record<string, string | undefined>): Headers;
  /** One of Graph's items; undefined leaves a member out. */
  item(over?: Record<string, unknown>): Record<string, unknown>;
}

/** A connection that was synced, with an active channel, and notifications about it that are genuine until something is changed. */
export async function openSender(
  database: TestDatabase,
  calendarProvider: Provider,
  over: { readonly state?: string; readonly providerId?: string; readonly secrets?: readonly string[] } = {},
): Promise<Sender> {
  const { state = 'active', secrets = CHANNEL_SECRETS, ...identity } = over;
  const connection = await insertConnection(database.sql, { calendarProvider, columns: { applied: 1 }, ...identity });
  const [channelId, unique] = [createChannelId(connection.id), randomUUID()];
  const [resourceId, subscriptionId] = [`resource-${unique}`, unique];
  const at = calendarProvider === 'google' ? { resource_id: resourceId } : { subscription_id: subscriptionId };
  await insertChannel(database.sql, connection, { id: channelId, state, ...at });
  return describeSender(connection, channelId, channelSecret(calendarProvider, channelId, secrets), {
    resourceId,
    subscriptionId,
  });
}

export function describeSender(
  connection: BuiltConnection,
  channelId: string,
  secret: string,
  { resourceId = 'resource', subscriptionId = 'subscription' } = {},
): Sender {
  let count = 0;
  return {
    connection,
    channelId,
    secret,
    resourceId,
    subscriptionId,
    headers(changed = {}) {
      count += 1;
      const all = {
        'x-goog-channel-id': channelId,
        'x-goog-channel-token': secret,
        'x-goog-resource-id': resourceId,
        'x-goog-resource-state': 'exists',
        'x-goog-message-number': String(count),
        'content-type': 'application/json',
        ...changed,
      };
      return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Headers;
    },
    item(changed = {}) {
      count += 1;
      return {
        id: `item-${count}`,
        subscriptionId,
        clientState: secret,
        changeType: 'updated',
        resource: 'me/events/AAMk',
        resourceData: { '@odata.type': '#Microsoft.Graph.Event', id: 'AAMk' },
        ...changed,
      };
    },
  };
}

/** The body and headers of Graph's delivery of these items. */
export function collection(...items: readonly unknown[]) {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ value: items }) };
}

/** A relay's request: the signature is over the very bytes. */
export function signed(calendarProvider: Provider, body: string, secret: string, headers: Headers = {}) {
  const name = calendarProvider === 'google' ? 'x-goog-signature' : 'x-microsoft-graph-signature';
  return { headers: { ...headers, [name]: createHmac('sha256', secret).update(body).digest('hex') }, body };
}

export interface ConnectionRow {
  readonly requested: number;
  readonly sync_needed: boolean;
  readonly last_webhook_received_at: Date | string | null;
  readonly deliveries: number;
}

/** What notifications left behind at a connection. */
export async function readRow(database: TestDatabase, connectionId: string): Promise<ConnectionRow> {
  const [row] = await database.sql<ConnectionRow[]>`
    SELECT requested::int, sync_needed, last_webhook_received_at,
           (SELECT count(*)::int FROM deliveries d WHERE d.connection_id = c.id) AS deliveries
      FROM external_calendar_connections c WHERE id = ${connectionId}`;
  if (row === undefined) throw new Error('no such connection');
  return row;
}
