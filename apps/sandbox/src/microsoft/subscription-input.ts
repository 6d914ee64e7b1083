/**
 * Reads a wish for a subscription, and refuses what Graph refuses.
 * See learn.microsoft.com/graph/api/resources/subscription.
 */
import { randomUUID } from 'node:crypto';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { calendarOf, primaryOf } from '../calendars/directory.ts';
import type { Call, Caller } from '../endpoint.ts';
import { isAcceptableAddress } from '../notifications/courier.ts';
import type { SandboxState } from '../state.ts';
import { accessDenied, refuse } from './errors.ts';
import { readPreferences } from './preferences.ts';
import type { Body } from './resource.ts';
import { CHANGE_TYPES, type ChangeType, type Subscription } from './subscriptions.ts';

/** A wish for less is raised to this. */
const LEAST_MINUTES = 45;
const MOST_CLIENT_STATE = 128;

export function readSubscription(state: SandboxState, call: Call, caller: Caller, body: Body): Subscription {
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

/** The default calendar's events, or one calendar's; a single event cannot be watched. */
function readResource(caller: Caller, resource: string): CalendarStore {
  if (/\$(top|skip|orderby|filter|select)=/i.test(resource)) throw invalid('The resource has an unsupported query.');
  const path = resource.replace(/^\//, '');
  const match = /^(?:me|users\/([^/]+))\/(?:calendars\/(.+)\/)?events$/i.exec(path);
  if (match === null) throw invalid(`Resource '${path.slice(0, 40)}' is not supported.`);
  const { account } = caller;
  const user = match[1] === undefined ? null : decodeURIComponent(match[1]).toLowerCase();
  // Delegated permission covers the signed-in user's own mailbox alone.
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

export function readAddress(value: unknown, name: string): string {
  const address = readText(value, name);
  if (!isAcceptableAddress(address)) throw invalid(`The ${name} must be an HTTPS address.`);
  return address;
}

/** Beyond the maximum it is refused, not cut. */
export function readExpiry(state: SandboxState, body: Body): number {
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

function readText(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(`${name} is required.`);
  return value;
}

export const invalid = (message: string) => refuse(400, 'ValidationError', message);
