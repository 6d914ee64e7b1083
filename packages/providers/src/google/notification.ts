/**
 * What Google sends to a channel's address: headers, and an empty body. Nothing is signed; the channel token is the one
 * proof there is, and checking it is the reader's part. Pure.
 * https://developers.google.com/workspace/calendar/api/guides/push
 */

export interface GoogleNotification {
  /** Ours, as it was given when the channel was opened. */
  readonly channelId: string;
  /** The secret, as sent; null when there was none. Compare in constant time; never log. */
  readonly channelToken: string | null;
  /** Opaque id of what is watched; null when the header is missing. */
  readonly resourceId: string | null;
  /**
   * Grows on one channel, with gaps; digits. Together with the channel id it is the delivery key. Null when the header
   * is missing or no number.
   */
  readonly messageNumber: string | null;
  /**
   * `sync` is the handshake; `exists` says that something was made, changed or deleted. Calendar documents no other, so
   * every other one says "look" as well.
   */
  readonly resourceState: 'sync' | 'exists' | 'not_exists' | 'unknown';
  readonly isHandshake: boolean;
}

export type GoogleNotificationReading =
  | GoogleNotification
  | { readonly error: 'no_channel_id' | 'bad_channel_id' | 'bad_header' };

/** Header names in any case; several lines under one name are several values. */
export type NotificationHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

const OURS = /^x-goog-/i;
const STATES: readonly string[] = ['sync', 'exists', 'not_exists'];
/** Longer than Google allows each of them to be. */
const LONGEST = 1_024;
const LONGEST_CHANNEL_ID = 64;

/** @param headers of the request; the rest of it says nothing. */
export function parseGoogleNotification(headers: NotificationHeaders): GoogleNotificationReading {
  const read = readerOf(headers);
  const channelId = read('x-goog-channel-id');
  if (channelId === null) return { error: 'no_channel_id' };
  if (!/^[\w.:=+/-]+$/.test(channelId) || channelId.length > LONGEST_CHANNEL_ID) return { error: 'bad_channel_id' };
  const [channelToken, resourceId] = [read('x-goog-channel-token'), read('x-goog-resource-id')];
  if ([channelToken, resourceId].some((value) => value !== null && value.length > LONGEST))
    return { error: 'bad_header' };
  const messageNumber = read('x-goog-message-number');
  const state = read('x-goog-resource-state') ?? '';
  const resourceState = STATES.includes(state) ? (state as GoogleNotification['resourceState']) : 'unknown';
  return {
    channelId,
    channelToken,
    resourceId,
    messageNumber: messageNumber !== null && /^\d{1,20}$/.test(messageNumber) ? messageNumber : null,
    resourceState,
    isHandshake: resourceState === 'sync',
  };
}

/** A name that comes twice counts as missing: which of the two is meant is nobody's guess. */
function readerOf(headers: NotificationHeaders): (name: string) => string | null {
  const values = new Map<string, string | null>();
  for (const given in headers) {
    if (!OURS.test(given)) continue;
    const [name, value] = [given.toLowerCase(), headers[given]];
    const isOne = typeof value === 'string' && value !== '' && !values.has(name);
    values.set(name, isOne ? value : null);
  }
  return (name) => values.get(name) ?? null;
}
