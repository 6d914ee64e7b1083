/**
 * What subscriptions deliver, in batches by address.
 * See learn.microsoft.com/graph/change-notifications-delivery-webhooks.
 */
import { randomUUID } from 'node:crypto';
import type { CommittedChange } from '../calendars/edit-event.ts';
import type { Parcel } from '../notifications/courier.ts';
import type { NotificationKind } from '../notifications/notification-faults.ts';
import type { SandboxState } from '../state.ts';
import type { Item } from './batches.ts';
import { etag } from './event-resource.ts';
import { eventItemId } from './item-ids.ts';
import type { Resource } from './resource.ts';
import type { ChangeType, Subscription } from './subscriptions.ts';
import { TENANT_ID } from './tenant.ts';

/** One's own writes included; of an occurrence the series is named. */
export function notifyChange(state: SandboxState, { store, event, kind }: CommittedChange): void {
  const root = event.master ?? event;
  const now = state.clock.now();
  for (const subscription of state.subscriptions.of(store)) {
    if (subscription.expiresAtMs <= now || subscription.isPaused || !hasGrant(state, subscription)) continue;
    for (const changeType of changeTypes(root === event ? kind : 'updated', state)) {
      if (!subscription.changeTypes.has(changeType)) continue;
      const itemId = eventItemId(root, subscription.idForm);
      const path = `Users/${subscription.accountId}/Events/${itemId}`;
      const resourceData = {
        '@odata.type': '#Microsoft.Graph.Event',
        '@odata.id': path,
        '@odata.etag': etag(root),
        id: itemId,
      };
      send(state, subscription, 'change', { changeType, resource: path, resourceData });
    }
  }
}

/** One edit often yields several, a creation followed by updates. */
function changeTypes(kind: ChangeType, state: SandboxState): ChangeType[] {
  const count = state.settings.microsoft.notifications_per_change;
  const repeat = kind === 'created' ? 'updated' : kind;
  return [kind, ...new Array<ChangeType>(count - 1).fill(repeat)];
}

function hasGrant(state: SandboxState, { email, clientId }: Subscription): boolean {
  return state.grants.find('microsoft', email, clientId) !== undefined;
}

export const LIFECYCLE_EVENTS = ['reauthorizationRequired', 'subscriptionRemoved', 'missed'] as const;
export type LifecycleEvent = (typeof LIFECYCLE_EVENTS)[number];

/** @returns false when the subscription has no address for it. */
export function notifyLifecycle(
  state: SandboxState,
  subscription: Subscription,
  lifecycleEvent: LifecycleEvent,
): boolean {
  if (subscription.lifecycleUrl === null) return false;
  send(state, subscription, 'lifecycle', { lifecycleEvent });
  return true;
}

function send(state: SandboxState, subscription: Subscription, kind: NotificationKind, what: Resource): void {
  const url = (kind === 'lifecycle' ? subscription.lifecycleUrl : null) ?? subscription.notificationUrl;
  const content = {
    id: randomUUID(),
    subscriptionId: subscription.id,
    subscriptionExpirationDateTime: new Date(subscription.expiresAtMs).toISOString(),
    tenantId: TENANT_ID,
    ...(subscription.clientState === null ? {} : { clientState: subscription.clientState }),
    ...what,
  };
  const item = { subscription: subscription.id, content };
  const target = { provider: 'microsoft', channel: subscription.id, user: subscription.email, kind } as const;
  const fate = state.notificationFaults.pass(target, () => {
    state.batches.put(url, item, state.settings.microsoft.batch_ms, (items) => {
      state.courier.send(parcelOf(url, kind, items), { itemCount: items.length });
    });
  });
  if (fate === 'drop' || fate === 'silenced') state.courier.noteUnsent(parcelOf(url, kind, [item]), fate);
}

/** Any 2xx ends it, everything else is tried again. */
function parcelOf(url: string, kind: NotificationKind, items: readonly Item[]): Parcel {
  return {
    provider: 'microsoft',
    channels: [...new Set(items.map(({ subscription }) => subscription))],
    kind,
    url,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ value: items.map(({ content }) => content) }),
    isAccepted: (status) => status >= 200 && status < 300,
    isRetried: () => true,
  };
}
