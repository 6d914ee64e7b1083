/** The relay mode: a signing relay in front proves the raw body. Neither calendar provider sends such a header itself. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
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

const LONGEST_KEY = 200;
const word = z.string().min(1).max(512).optional().catch(undefined);
const key = z
  .union([z.string().min(1), z.number().transform(String)])
  .optional()
  .catch(undefined);
const shape = z.object({
  connection_id: word,
  resourceId: word,
  id: key,
  channel: z.object({ id: key, resourceId: word }).optional().catch(undefined),
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
  const given = read.id ?? read.channel?.id;
  return {
    connectionId: connectionId.toLowerCase(),
    deliveryKey: given === undefined ? null : `signed:${short(given)}`,
  };
}

/** Keys are kept in an index; of a very long one its hash says as well whether it is the same. */
function short(given: string): string {
  return given.length <= LONGEST_KEY ? given : `sha256:${createHash('sha256').update(given).digest('hex')}`;
}
