/** The relay mode: a signing relay in front proves the raw body. Neither calendar provider sends such a header itself. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** HMAC-SHA256 over the raw body, hex, under any of the secrets, compared in constant time. */
export function isSigned(body: Buffer, signature: string | undefined, secrets: readonly string[]): boolean {
  if (signature === undefined || !/^[0-9a-f]{64}$/i.test(signature)) return false;
  const given = Buffer.from(signature, 'hex');
  return secrets.reduce(
    (isRight, secret) => timingSafeEqual(createHmac('sha256', secret).update(body).digest(), given) || isRight,
    false,
  );
}

const word = z.string().min(1).max(512).optional().catch(undefined);
const shape = z.object({
  connection_id: word,
  resourceId: word,
  id: word,
  channel: z.object({ id: word, resourceId: word }).optional().catch(undefined),
});

export interface SignedNotification {
  readonly connectionId: string;
  /** Null when the relay names none: then nothing is a duplicate. */
  readonly deliveryKey: string | null;
}

/** The JSON form of the relay; null when it names no connection. */
export function readSignedNotification(body: unknown): SignedNotification | null {
  const read = shape.safeParse(body).data;
  const connectionId = read?.connection_id ?? read?.channel?.resourceId ?? read?.resourceId;
  if (read === undefined || connectionId === undefined) return null;
  const key = read.id ?? read.channel?.id;
  return { connectionId: connectionId.toLowerCase(), deliveryKey: key === undefined ? null : `signed:${key}` };
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
