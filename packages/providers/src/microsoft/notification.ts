/**
 * What Graph posts to the notification address. Pure: nothing here proves anything, that is the secret's part.
 * https://learn.microsoft.com/graph/api/resources/changenotificationcollection
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';

export interface GraphNotification {
  /** Null when the item names none: then it can belong to nobody. */
  readonly subscriptionId: string | null;
  /** The secret, as sent. Compare in constant time; never log. */
  readonly clientState: string | null;
  /** Null for a lifecycle notification. */
  readonly changeType: 'created' | 'updated' | 'deleted' | 'unknown' | null;
  /** Null for a change. */
  readonly lifecycleEvent: 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed' | 'unknown' | null;
  /** The item's own id, else a hash over all of it; the same for a repeated delivery. At most 256 characters. */
  readonly deliveryKey: string;
  /** The event that changed; null when the item does not say. Compare with regard to case. */
  readonly resourceEventId: string | null;
}

export type GraphNotificationReading =
  | { readonly items: readonly GraphNotification[] }
  | { readonly error: 'not_a_notification' | 'empty' };

const CHANGE_TYPES = ['created', 'updated', 'deleted'] as const;
const LIFECYCLE_EVENTS = ['reauthorizationRequired', 'subscriptionRemoved', 'missed'] as const;

const text = z.string().min(1).nullable().catch(null);
const itemShape = z.object({
  id: z.string().min(1).max(256).nullable().catch(null),
  subscriptionId: text,
  clientState: text,
  changeType: text,
  lifecycleEvent: text,
  resourceData: z.object({ id: text }).nullable().catch(null),
});
const bodyShape = z.object({ value: z.array(z.unknown()) });

/**
 * One delivery may mix items of several subscriptions and tenants, so each stands for itself and a strange one does not
 * spoil the others.
 *
 * @param body the parsed JSON.
 */
export function parseGraphNotification(body: unknown): GraphNotificationReading {
  const parsed = bodyShape.safeParse(body).data;
  if (parsed === undefined) return { error: 'not_a_notification' };
  if (parsed.value.length === 0) return { error: 'empty' };
  return { items: parsed.value.map(readItem) };
}

function readItem(item: unknown): GraphNotification {
  const read = itemShape.safeParse(item).data;
  return {
    subscriptionId: read?.subscriptionId ?? null,
    clientState: read?.clientState ?? null,
    changeType: oneOf(CHANGE_TYPES, read?.changeType),
    lifecycleEvent: oneOf(LIFECYCLE_EVENTS, read?.lifecycleEvent),
    deliveryKey: read?.id ?? hashOf(item),
    resourceEventId: read?.resourceData?.id ?? null,
  };
}

function oneOf<Name extends string>(names: readonly Name[], value: string | null | undefined): Name | 'unknown' | null {
  if (value === null || value === undefined) return null;
  return names.find((name) => name === value) ?? 'unknown';
}

/** Of the item with its names in order, so that a repeat that was only written out differently is the same. */
function hashOf(item: unknown): string {
  return `sha256:${createHash('sha256')
    .update(JSON.stringify(sorted(item)))
    .digest('hex')}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  // A list of pairs, since an object would put names that look like numbers first.
  return entries.map(([name, inner]) => [name, sorted(inner)]);
}

/**
 * The token of the handshake, decoded, to be answered as it is with 200 `text/plain`; null when there is none.
 *
 * Its spaces come as `+`, as forms write them, which `decodeURIComponent` would leave alone.
 *
 * @param url as in the request line, or whole.
 */
export function readValidationToken(url: string): string | null {
  const query = url.split('#', 1)[0]?.split('?').slice(1).join('?') ?? '';
  const token = new URLSearchParams(query).get('validationToken');
  return token === null || token === '' ? null : token;
}
