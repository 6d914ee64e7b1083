/**
 * What Graph posts to the notification address. Pure: nothing here proves anything, that is the secret's part.
 * https://learn.microsoft.com/graph/api/resources/changenotificationcollection
 */
import { createHash } from 'node:crypto';

export interface GraphNotification {
  /** Null when the item names none: then it can belong to nobody. */
  readonly subscriptionId: string | null;
  /** The secret, as sent. Compare in constant time; never log. */
  readonly clientState: string | null;
  /** Null for a lifecycle notification. */
  readonly changeType: 'created' | 'updated' | 'deleted' | 'unknown' | null;
  /** Null for a change. */
  readonly lifecycleEvent: 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed' | 'unknown' | null;
  /**
   * The item's own id, else a hash over all of a change; the same for a repeated delivery. At most 256 characters. Null for
   * a lifecycle event without an id, which repeats itself to the letter when it happens again.
   */
  readonly deliveryKey: string | null;
}

export type GraphNotificationReading =
  | { readonly items: readonly GraphNotification[] }
  | { readonly error: 'not_a_notification' | 'empty' };

const CHANGE_TYPES = ['created', 'updated', 'deleted'] as const;
const LONGEST_ID = 256;
const LIFECYCLE_EVENTS = ['reauthorizationRequired', 'subscriptionRemoved', 'missed'] as const;

/**
 * One delivery may mix items of several subscriptions and tenants, so each stands for itself and a strange one does not
 * spoil the others.
 *
 * @param body the parsed JSON.
 */
export function parseGraphNotification(body: unknown): GraphNotificationReading {
  const value = memberOf(body, 'value');
  if (!Array.isArray(value)) return { error: 'not_a_notification' };
  if (value.length === 0) return { error: 'empty' };
  return { items: value.map(readItem) };
}

/** By hand, since a body may hold a hundred thousand items that are worth nothing. */
function readItem(item: unknown): GraphNotification {
  const id = textOf(item, 'id');
  const lifecycleEvent = oneOf(LIFECYCLE_EVENTS, textOf(item, 'lifecycleEvent'));
  return {
    subscriptionId: textOf(item, 'subscriptionId'),
    clientState: textOf(item, 'clientState'),
    changeType: oneOf(CHANGE_TYPES, textOf(item, 'changeType')),
    lifecycleEvent,
    // Only when asked for: what turns out to be forged is not worth a hash.
    get deliveryKey() {
      if (id !== null && id.length <= LONGEST_ID) return id;
      // Without an id a lifecycle event looks as it did the last time, and is news all the same.
      return lifecycleEvent === null ? hashOf(item) : null;
    },
  };
}

function textOf(value: unknown, name: string): string | null {
  const member = memberOf(value, name);
  return typeof member === 'string' && member !== '' ? member : null;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function oneOf<Name extends string>(names: readonly Name[], value: string | null): Name | 'unknown' | null {
  if (value === null) return null;
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
 * Its spaces come as `+`, as forms write them, which `decodeURIComponent` would leave alone. It is found as well where it
 * was put behind a second `?`: our notification URL has a query of its own.
 *
 * @param url as in the request line, or whole.
 */
export function readValidationToken(url: string): string | null {
  const query = url.split('#', 1)[0]?.split('?').slice(1).join('&') ?? '';
  const token = new URLSearchParams(query).get('validationToken');
  return token === null || token === '' ? null : token;
}
