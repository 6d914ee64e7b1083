/** Creating, renewing, listing and deleting subscriptions. microsoft-graph.md §1.1 to §1.3. */
import { randomUUID } from 'node:crypto';
import { type Answer, ok } from '../answer.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { calendarOf, primaryOf } from '../calendars/directory.ts';
import type { Call, Caller } from '../endpoint.ts';
import { isAcceptableAddress } from '../notifications/courier.ts';
import type { SandboxState } from '../state.ts';
import { accessDenied, refuse } from './errors.ts';
import { type Body, readBody } from './event-input.ts';
import type { Resource } from './event-resource.ts';
import { contextOf } from './events-read.ts';
import { checkAddress } from './handshake.ts';
import { readPreferences } from './preferences.ts';
import { needScope } from './protocol.ts';
import { CHANGE_TYPES, type ChangeType, type Subscription } from './subscriptions.ts';

/** §1.1: a wish for less is raised to this. */
const LEAST_MINUTES = 45;
const MOST_PER_MAILBOX = 1000;
const MOST_CLIENT_STATE = 128;

export async function createSubscription(state: SandboxState, call: Call, caller: Caller): Promise<Answer> {
  needScope(caller, 'read');
  const body = readBody(call.text);
  const subscription = readSubscription(state, call, caller, body);
  checkRoom(state, subscription);
  // §1.2: both addresses, one after the other, even when they are the same.
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

function readSubscription(state: SandboxState, call: Call, caller: Caller, body: Body): Subscription {
  const { lifecycleNotificationUrl: lifecycleUrl = null, clientState = null } = body;
  if (clientState !== null && (typeof clientState !== 'string' || clientState.length > MOST_CLIENT_STATE)) {
    throw invalid(`clientState must be text of at most ${MOST_CLIENT_STATE} characters.`);
  }
  if (body.includeResourceData === true) throw invalid('Resource data is not offered by the sandbox.');
  const resource = readText(body.resource, 'resource');
  return {
    id: randomUUID(),
    store: readResource(caller, resource),
    email: caller.account.email,
    accountId: caller.account.accountId,
    clientId: caller.grant.clientId,
    grantId: caller.grant.id,
    resource,
    changeTypes: readChangeTypes(body.changeType),
    clientState,
    lifecycleUrl: lifecycleUrl === null ? null : readAddress(lifecycleUrl, 'lifecycleNotificationUrl'),
    idForm: readPreferences(call).idForm,
    notificationUrl: readAddress(body.notificationUrl, 'notificationUrl'),
    expiresAtMs: readExpiry(state, body),
    isPaused: false,
  };
}

/** §1.1: a second one of the same kind for the same calendar is refused, and a mailbox has room for 1000. */
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

/** §1.1: the default calendar's events, or one calendar's; a single event cannot be watched. */
function readResource(caller: Caller, resource: string): CalendarStore {
  if (/\$(top|skip|orderby|filter|select)=/i.test(resource)) throw invalid('The resource has an unsupported query.');
  const path = resource.replace(/^\//, '');
  const match = /^(?:me|users\/([^/]+))\/(?:calendars\/(.+)\/)?events$/i.exec(path);
  if (match === null) throw invalid(`Resource '${path.slice(0, 40)}' is not supported.`);
  const { account } = caller;
  const user = match[1] === undefined ? null : decodeURIComponent(match[1]).toLowerCase();
  // §1.1: delegated permission covers the signed-in user's own mailbox alone.
  if (user !== null && user !== account.email && user !== account.accountId) throw accessDenied();
  const calendarId = match[2];
  const store = calendarId === undefined ? primaryOf(account) : calendarOf(account, decodeURIComponent(calendarId));
  if (store === undefined) throw refuse(404, 'ResourceNotFound', 'The calendar was not found.');
  if (!store.details.isWatchable) throw refuse(400, 'ExtensionError', 'This calendar does not support notifications.');
  return store;
}

function readChangeTypes(value: unknown): Set<ChangeType> {
  const names = readText(value, 'changeType')
    .split(',')
    .map((name) => name.trim());
  const types = names.map((name) => CHANGE_TYPES.find((type) => type === name.toLowerCase()));
  if (types.some((type) => type === undefined)) throw invalid('changeType is not valid.');
  return new Set(types.filter((type) => type !== undefined));
}

function readAddress(value: unknown, name: string): string {
  const address = readText(value, name);
  if (!isAcceptableAddress(address)) throw invalid(`The ${name} must be an HTTPS address.`);
  return address;
}

/** §1.3: beyond the maximum it is refused, not cut. */
function readExpiry(state: SandboxState, body: Body): number {
  const text = readText(body.expirationDateTime, 'expirationDateTime');
  const wanted = Date.parse(/(Z|[+-]\d\d:\d\d)$/i.test(text) ? text : `${text}Z`);
  const now = state.clock.now();
  if (Number.isNaN(wanted)) throw invalid('expirationDateTime is not a time.');
  if (wanted <= now) throw invalid('expirationDateTime must lie in the future.');
  const most = state.settings.microsoft.max_subscription_minutes;
  if (wanted > now + most * 60_000) {
    throw refuse(400, 'ExtensionError', `Subscription expiration can only be ${most} minutes in the future.`);
  }
  return Math.max(wanted, now + Math.min(LEAST_MINUTES, most) * 60_000);
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
  // §1.3: renewing also reauthorizes.
  subscription.isPaused = false;
  return ok({ '@odata.context': contextOf(call, 'subscriptions/$entity'), ...describe(subscription) });
}

/** §1.3: a new authorization, and the same end. */
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

function readText(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(`${name} is required.`);
  return value;
}

const invalid = (message: string) => refuse(400, 'ValidationError', message);
