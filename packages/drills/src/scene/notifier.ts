/** The calendar provider's hand: notifications that are genuine until something is changed. Our own fleet only. */
import { randomUUID } from 'node:crypto';
import { channelSecret } from '@bookiji/sync';
import type { DrilledProvider } from './connect.ts';
import { channelSecretsOf } from './keep-credentials.ts';
import type { Scene } from './scene.ts';

export const WEBHOOK_PATHS = {
  google: '/api/webhooks/calendar/google',
  microsoft: '/api/webhooks/calendar/microsoft',
} as const;

export interface HookAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Sends to a webhook as it stands; a header of undefined is left out. */
export async function postHook(
  url: string,
  headers: Readonly<Record<string, string | undefined>>,
  body = '',
): Promise<HookAnswer> {
  const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const response = await fetch(url, { method: 'POST', headers: Object.fromEntries(given), body });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
  return { status: response.status, body: isJson ? JSON.parse(text) : {}, text };
}

export interface Notifier {
  readonly channelId: string;
  /** The channel token, or Graph's `clientState`. */
  readonly proof: string;
  /** The subscription at Graph, the watched collection at Google. */
  readonly remoteId: string;
  /** One delivery; the same key is the same delivery. */
  send(key: number, over?: Readonly<Record<string, unknown>>, ingressUrl?: string): Promise<HookAnswer>;
}

/** @param secrets who proves; the fleet's own unless a rotation is played. */
export async function openNotifier(
  scene: Scene,
  provider: DrilledProvider,
  secrets: readonly string[] = channelSecretsOf(scene.owned),
): Promise<Notifier> {
  const { calendarProvider } = provider.calendar;
  const [channel] = await scene.owned.database.sql`
    SELECT id, resource_id, subscription_id FROM channels
     WHERE connection_id = ${provider.connectionId} AND state = 'active' ORDER BY created_at DESC LIMIT 1`;
  if (channel === undefined) throw new Error('the connection has no channel');
  const proof = scene.target.privateWords.keep('secret', channelSecret(calendarProvider, channel.id, secrets));
  // Numbers that the sandbox's own deliveries never reach.
  const keyOf = (key: number) => String(1_000_000 + key);
  const run = randomUUID().slice(0, 8);
  const send = (key: number, over: Readonly<Record<string, unknown>> = {}, ingressUrl = scene.ingress.url) => {
    const url = `${ingressUrl}${WEBHOOK_PATHS[calendarProvider]}`;
    if (calendarProvider === 'google') {
      const native = {
        'x-goog-channel-id': channel.id,
        'x-goog-channel-token': proof,
        'x-goog-resource-id': channel.resource_id,
        'x-goog-resource-state': 'exists',
        'x-goog-message-number': keyOf(key),
      };
      return postHook(url, { ...native, ...over } as Record<string, string | undefined>);
    }
    const item = {
      id: `${run}-${keyOf(key)}`,
      subscriptionId: channel.subscription_id,
      clientState: proof,
      changeType: 'updated',
      resource: 'me/events/drill',
      ...over,
    };
    return postHook(url, { 'content-type': 'application/json' }, JSON.stringify({ value: [item] }));
  };
  return { channelId: channel.id, proof, remoteId: channel.subscription_id ?? channel.resource_id, send };
}
