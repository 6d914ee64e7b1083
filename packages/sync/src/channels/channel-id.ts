/**
 * Names and secrets of channels. The id carries the connection's id, the secret is an HMAC over the id: ingress knows a
 * forgery without asking anybody, and nothing secret is stored. All pure.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CalendarProvider } from '@bookiji/providers/contract';

const CHANNEL_ID = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})-[0-9a-f]{16}$/;

/** A new id, at most 64 characters, never used twice. */
export function createChannelId(connectionId: string): string {
  return `${connectionId.replaceAll('-', '').toLowerCase()}-${randomBytes(8).toString('hex')}`;
}

/** The connection a channel id carries; null when it has another form. */
export function connectionIdOfChannel(channelId: string): string | null {
  const match = CHANNEL_ID.exec(channelId);
  return match === null ? null : match.slice(1).join('-');
}

/**
 * What the calendar provider echoes. Google: the HMAC as channel token. Graph does not echo our id, so its `clientState`
 * is `<channel id>.<hmac>` (at most 128 characters).
 */
export function channelSecret(
  calendarProvider: CalendarProvider,
  channelId: string,
  secrets: readonly string[],
): string {
  const proof = prove(calendarProvider, channelId, secrets[0] ?? '');
  return calendarProvider === 'google' ? proof : `${channelId}.${proof}`;
}

/**
 * Whether any of the secrets made this proof, in constant time. Compared as text: of some texts that differ in their last
 * letter base64 makes the same bytes, and only one of them was ever given out.
 */
export function isChannelProof(
  calendarProvider: CalendarProvider,
  channelId: string,
  proof: string,
  secrets: readonly string[],
): boolean {
  const given = Buffer.from(proof);
  return secrets.reduce((isProven, secret) => {
    const right = Buffer.from(prove(calendarProvider, channelId, secret));
    return (given.length === right.length && timingSafeEqual(given, right)) || isProven;
  }, false);
}

/** Splits and proves a Graph `clientState`; the channel id, or null. */
export function readClientState(clientState: string, secrets: readonly string[]): string | null {
  const dot = clientState.indexOf('.');
  const channelId = clientState.slice(0, Math.max(dot, 0));
  if (connectionIdOfChannel(channelId) === null) return null;
  return isChannelProof('microsoft', channelId, clientState.slice(dot + 1), secrets) ? channelId : null;
}

/**
 * Where a connection's notifications are sent. Graph lists subscriptions by address alone, so the address names the
 * connection: a mailbox that two connections share would otherwise lose one's subscription to the other. Graph repeats
 * the query with each delivery; nothing reads it.
 */
export function notificationAddress(
  notificationUrl: string,
  connection: { readonly id: string; readonly calendarProvider: CalendarProvider },
): string {
  return connection.calendarProvider === 'google' ? notificationUrl : `${notificationUrl}?connection=${connection.id}`;
}

/**
 * Tells secrets apart without holding one: 32 bits of an HMAC under it. Kept beside each channel.
 *
 * @param secrets the first one signs.
 */
export function secretMarkOf(secrets: readonly string[]): string {
  return createHmac('sha256', secrets[0] ?? '')
    .update('channel-secret-mark')
    .digest('hex')
    .slice(0, 8);
}

function prove(calendarProvider: CalendarProvider, channelId: string, secret: string): string {
  return createHmac('sha256', secret).update(`channel:${calendarProvider}:${channelId}`).digest('base64url');
}
