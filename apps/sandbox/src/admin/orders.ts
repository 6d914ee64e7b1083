/** The clock, faults, grants, cursors and channels, on order. */
import { z } from 'zod';
import { primaryOf } from '../calendars/directory.ts';
import { faultShape } from '../faults.ts';
import { LIFECYCLE_EVENTS, notifyLifecycle } from '../microsoft/notify.ts';
import { notificationFaultShape } from '../notifications/notification-faults.ts';
import { PROVIDERS } from '../provider.ts';
import { changeSettings, partialSettingsShape } from '../settings.ts';
import type { SandboxState } from '../state.ts';
import { type AdminCall, AdminError } from './admin-answer.ts';

const clockShape = z
  .object({ offset_ms: z.number(), advance_ms: z.number() })
  .partial()
  .strict()
  .refine((wish) => Object.keys(wish).length === 1, 'give offset_ms or advance_ms');

export function showClock(state: SandboxState) {
  return { now: new Date(state.clock.now()).toISOString(), offset_ms: state.clock.offsetMs };
}

export function moveClock(state: SandboxState, call: AdminCall) {
  const wish = clockShape.parse(call.body);
  if (wish.offset_ms !== undefined) state.clock.moveTo(wish.offset_ms);
  if (wish.advance_ms !== undefined) state.clock.advance(wish.advance_ms);
  return showClock(state);
}

export function showSettings(state: SandboxState) {
  return state.settings;
}

export function putSettings(state: SandboxState, call: AdminCall) {
  changeSettings(state.settings, partialSettingsShape.parse(call.body));
  return state.settings;
}

export function orderFault(state: SandboxState, call: AdminCall) {
  return { id: state.faults.add(faultShape.parse(call.body)) };
}

export function listFaults(state: SandboxState) {
  return { faults: state.faults.list(), notification_faults: state.notificationFaults.list() };
}

/** All of them, or the one that `?id=` names. */
export function clearFaults(state: SandboxState, call: AdminCall): void {
  const id = call.query.get('id');
  if (id === null) {
    state.faults.clear();
    state.notificationFaults.clear();
  } else if (!state.faults.remove(Number(id))) {
    throw new AdminError(404, 'unknown_fault', 'no such fault');
  }
}

export function orderNotificationFault(state: SandboxState, call: AdminCall) {
  return { id: state.notificationFaults.add(notificationFaultShape.parse(call.body)) };
}

const silenceShape = z.object({ channel: z.string().min(1), silent: z.boolean().default(true) }).strict();

/** The channel lives on and says nothing. */
export function silenceChannel(state: SandboxState, call: AdminCall) {
  const { channel, silent } = silenceShape.parse(call.body);
  if (silent) state.notificationFaults.silence(channel);
  else state.notificationFaults.unsilence(channel);
  return { channel, silent };
}

const lifecycleShape = z
  .object({
    event: z.enum(LIFECYCLE_EVENTS),
    /** One subscription, or all of one account's; without either, all. */
    channel: z.string().optional(),
    email: z.string().optional(),
    /** `reauthorizationRequired`: nothing is delivered, and what changes is lost, until the client reauthorizes. */
    pause: z.boolean().default(true),
    /** `subscriptionRemoved` without a word. */
    silently: z.boolean().default(false),
  })
  .strict();

/**
 * Graph's lifecycle notifications, with what they stand for.
 * See learn.microsoft.com/graph/change-notifications-lifecycle-events.
 */
export function orderLifecycle(state: SandboxState, call: AdminCall) {
  const wish = lifecycleShape.parse(call.body);
  state.subscriptions.dropExpired(state.clock.now());
  const chosen = state.subscriptions.list().filter(({ id, email }) => {
    if (wish.channel !== undefined && wish.channel !== id) return false;
    return wish.email === undefined || wish.email.toLowerCase() === email;
  });
  let told = 0;
  for (const subscription of chosen) {
    if (wish.event === 'reauthorizationRequired') subscription.isPaused = wish.pause;
    if (wish.event === 'subscriptionRemoved') state.subscriptions.remove(subscription.id);
    if (!wish.silently && notifyLifecycle(state, subscription, wish.event)) told += 1;
  }
  return { subscriptions: chosen.length, told };
}

const whoseShape = z
  .object({ calendar_provider: z.enum(PROVIDERS), email: z.string(), client_id: z.string() })
  .partial()
  .strict();

/** Every cursor handed out so far ends. */
export function expireCursors(state: SandboxState, call: AdminCall) {
  const wish = whoseShape.parse(call.body);
  const accounts = state.directory.accounts().filter((account) => matches(wish, account));
  const stores = accounts.flatMap((account) => account.calendars);
  for (const store of stores) store.expireCursors();
  return { calendars: stores.length };
}

const grantShape = z
  .object({
    calendar_provider: z.enum(PROVIDERS),
    email: z.email(),
    client_id: z.string().min(1),
    scopes: z.array(z.string()).optional(),
    time_zone: z.string().optional(),
  })
  .strict();

const FULL_SCOPES = {
  google: ['openid', 'email', 'https://www.googleapis.com/auth/calendar'],
  microsoft: ['openid', 'email', 'offline_access', 'User.Read', 'Calendars.ReadWrite', 'MailboxSettings.Read'],
} as const;

/** A grant without a browser. The account is created when it is new. */
export function issueGrant(state: SandboxState, call: AdminCall) {
  const wish = grantShape.parse(call.body);
  const provider = wish.calendar_provider;
  const account = state.directory.put({ provider, email: wish.email, timeZone: wish.time_zone });
  const grant = state.grants.give(provider, account.email, wish.client_id, wish.scopes ?? FULL_SCOPES[provider]);
  const lifeSeconds = state.settings[provider].access_token_seconds;
  return {
    grant_id: grant.id,
    access_token: state.grants.issueAccessToken(grant, lifeSeconds),
    refresh_token: state.grants.issueRefreshToken(grant),
    expires_in: lifeSeconds,
    scope: [...grant.scopes].join(' '),
    account_id: account.accountId,
    email: account.email,
    calendar_id: primaryOf(account).details.id,
  };
}

export function revokeGrants(state: SandboxState, call: AdminCall) {
  const wish = whoseShape.parse(call.body);
  return { revoked: state.grants.revoke((grant) => matches(wish, grant), 'Token has been expired or revoked.') };
}

/** Access tokens stop working now; the grants live on. */
export function expireTokens(state: SandboxState, call: AdminCall) {
  const wish = whoseShape.parse(call.body);
  return { expired: state.grants.expireAccessTokens((grant) => matches(wish, grant)) };
}

export function listGrants(state: SandboxState) {
  return {
    grants: state.grants.list().map((grant) => ({
      grant_id: grant.id,
      calendar_provider: grant.provider,
      email: grant.email,
      client_id: grant.clientId,
      scope: [...grant.scopes].join(' '),
      revoked: grant.revokedBecause !== null,
    })),
  };
}

function matches(
  wish: z.output<typeof whoseShape>,
  one: { provider: string; email: string; clientId?: string },
): boolean {
  if (wish.calendar_provider !== undefined && wish.calendar_provider !== one.provider) return false;
  if (wish.email !== undefined && wish.email.toLowerCase() !== one.email) return false;
  return wish.client_id === undefined || one.clientId === undefined || wish.client_id === one.clientId;
}

const clientShape = z
  .object({
    calendar_provider: z.enum(PROVIDERS),
    client_id: z.string().min(1),
    /** Several while one is being rotated: each is right. */
    client_secret: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
    redirect_uris: z.array(z.string()).nullable().default(null),
  })
  .strict();

/** From now on this client is held to its secret and addresses. */
export function registerClient(state: SandboxState, call: AdminCall) {
  const wish = clientShape.parse(call.body);
  state.clients.register({
    provider: wish.calendar_provider,
    clientId: wish.client_id,
    clientSecrets: [wish.client_secret].flat(),
    redirectUris: wish.redirect_uris,
  });
  return { client_id: wish.client_id };
}
