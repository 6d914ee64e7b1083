/** Creating, renewing, listing and deleting subscriptions. learn.microsoft.com/graph/api/resources/subscription. */
import { type Answer, ok } from '../answer.ts';
import type { Call, Caller } from '../endpoint.ts';
import type { SandboxState } from '../state.ts';
import { refuse } from './errors.ts';
import { readBody } from './event-input.ts';
import { contextOf } from './events-read.ts';
import { checkAddress } from './handshake.ts';
import { needScope } from './protocol.ts';
import type { Resource } from './resource.ts';
import { invalid, readAddress, readExpiry, readSubscription } from './subscription-input.ts';
import type { Subscription } from './subscriptions.ts';

const MOST_PER_MAILBOX = 1000;

export async function createSubscription(state: SandboxState, call: Call, caller: Caller): Promise<Answer> {
  needScope(caller, 'read');
  const body = readBody(call.text);
  const subscription = readSubscription(state, call, caller, body);
  checkRoom(state, subscription);
  // Both addresses, one after the other, even when they are the same.
  for (const address of [subscription.notificationUrl, subscription.lifecycleUrl]) {
    if (address !== null) await checkAddress(state, address);
  }
  // Another request may have come first meanwhile.
  checkRoom(state, subscription);
  state.subscriptions.open(subscription);
  return {
    status: 201,
    json: { '@odata.context': contextOf(call, 'subscriptions/$entity'), ...describe(subscription) },
  };
}

/** A second one of the same kind for the same calendar is refused, and a mailbox has room for 1000. */
function checkRoom(state: SandboxState, fresh: Subscription): void {
  state.subscriptions.dropExpired(state.clock.now());
  const own = state.subscriptions.list().filter(({ email }) => email === fresh.email);
  if (own.length >= MOST_PER_MAILBOX) throw refuse(403, 'ExtensionError', 'The mailbox has too many subscriptions.');
  if (!state.settings.microsoft.refuse_duplicate_subscriptions) return;
  const kind = [...fresh.changeTypes].sort().join();
  const isTaken = own.some(
    ({ clientId, store, changeTypes }) =>
      clientId === fresh.clientId && store === fresh.store && [...changeTypes].sort().join() === kind,
  );
  if (isTaken) throw refuse(409, 'Conflict', 'A subscription already exists for the requested combination.');
}

export async function renewSubscription(state: SandboxState, call: Call, caller: Caller): Promise<Answer> {
  const subscription = findOwn(state, call, caller);
  const body = readBody(call.text);
  for (const name of Object.keys(body)) {
    if (name !== 'expirationDateTime' && name !== 'notificationUrl') throw invalid(`${name} cannot be changed.`);
  }
  const expiresAtMs = body.expirationDateTime === undefined ? null : readExpiry(state, body);
  if (body.notificationUrl !== undefined) {
    const address = readAddress(body.notificationUrl, 'notificationUrl');
    await checkAddress(state, address);
    subscription.notificationUrl = address;
  }
  if (expiresAtMs !== null) subscription.expiresAtMs = expiresAtMs;
  // Renewing also reauthorizes.
  subscription.isPaused = false;
  return ok({ '@odata.context': contextOf(call, 'subscriptions/$entity'), ...describe(subscription) });
}

/** A new authorization, and the same end. */
export function reauthorizeSubscription(state: SandboxState, call: Call, caller: Caller): Answer {
  findOwn(state, call, caller).isPaused = false;
  return { status: 204 };
}

export function getSubscription(state: SandboxState, call: Call, caller: Caller): Answer {
  const subscription = findOwn(state, call, caller);
  return ok({ '@odata.context': contextOf(call, 'subscriptions/$entity'), ...describe(subscription) });
}

export function listSubscriptions(state: SandboxState, call: Call, caller: Caller): Answer {
  state.subscriptions.dropExpired(state.clock.now());
  const value = state.subscriptions
    .list()
    .filter((one) => isOwn(one, caller))
    .map(describe);
  return ok({ '@odata.context': contextOf(call, 'subscriptions'), value });
}

export function deleteSubscription(state: SandboxState, call: Call, caller: Caller): Answer {
  state.subscriptions.remove(findOwn(state, call, caller).id);
  return { status: 204 };
}

function findOwn(state: SandboxState, call: Call, caller: Caller): Subscription {
  state.subscriptions.dropExpired(state.clock.now());
  const subscription = state.subscriptions.get(call.params.subscriptionId ?? '');
  if (subscription === undefined || !isOwn(subscription, caller)) {
    throw refuse(404, 'ResourceNotFound', 'The object was not found.');
  }
  return subscription;
}

function isOwn(subscription: Subscription, { account, grant }: Caller): boolean {
  return subscription.email === account.email && subscription.clientId === grant.clientId;
}

function describe(subscription: Subscription): Resource {
  return {
    id: subscription.id,
    resource: subscription.resource,
    applicationId: subscription.clientId,
    changeType: [...subscription.changeTypes].join(','),
    clientState: subscription.clientState,
    notificationUrl: subscription.notificationUrl,
    lifecycleNotificationUrl: subscription.lifecycleUrl,
    expirationDateTime: new Date(subscription.expiresAtMs).toISOString(),
    creatorId: subscription.accountId,
    latestSupportedTlsVersion: 'v1_2',
    notificationContentType: 'application/json',
  };
}
