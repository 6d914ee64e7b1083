/** A Google notification: everything is in the headers, the body is empty, and nothing is signed. */
export interface GoogleNotification {
  readonly channelId: string;
  readonly channelToken: string | null;
  readonly resourceId: string | null;
  /** Grows on one channel, with gaps; `1` is the handshake. Null when missing or no number. */
  readonly messageNumber: string | null;
  /** `sync` says that the channel is live; anything else says "look". */
  readonly isHandshake: boolean;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Reads the headers (lower-cased names). Pure.
 * https://developers.google.com/workspace/calendar/api/guides/push
 *
 * @returns null when there is no channel id: the request names no connection.
 */
export function parseGoogleNotification(headers: Headers): GoogleNotification | null {
  const channelId = readHeader(headers, 'x-goog-channel-id');
  if (channelId === null) return null;
  const messageNumber = readHeader(headers, 'x-goog-message-number');
  return {
    channelId,
    channelToken: readHeader(headers, 'x-goog-channel-token'),
    resourceId: readHeader(headers, 'x-goog-resource-id'),
    messageNumber: messageNumber !== null && /^\d{1,20}$/.test(messageNumber) ? messageNumber : null,
    isHandshake: readHeader(headers, 'x-goog-resource-state') === 'sync',
  };
}

function readHeader(headers: Headers, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
