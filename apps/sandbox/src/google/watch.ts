/** `events.watch` and `channels.stop`. developers.google.com/workspace/calendar/api/v3/reference/events/watch. */
import { createHash } from 'node:crypto';
import { type Answer, ok } from '../answer.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import type { Call, Caller } from '../endpoint.ts';
import { isAcceptableAddress } from '../notifications/courier.ts';
import type { SandboxState } from '../state.ts';
import type { GoogleChannel } from './channels.ts';
import { invalid, notFound, refuse } from './errors.ts';
import { type Body, readBody } from './event-input.ts';
import { applyMask } from './fields-mask.ts';
import { findCalendar } from './find-event.ts';
import { needScope } from './protocol.ts';
import { pushSync } from './push.ts';

/** The documented default. */
const DEFAULT_TTL_SECONDS = 604_800;

export function watchEvents(state: SandboxState, call: Call, caller: Caller): Answer {
  needScope(caller, 'read');
  const store = findCalendar(call, caller);
  const body = readBody(call.text);
  const id = readChannelId(state, body);
  const { address, token = null } = body;
  if (body.type !== 'web_hook' && body.type !== 'webhook') {
    throw refuse(400, 'channelUnknown', 'Unknown channel type', { domain: 'push' });
  }
  if (typeof address !== 'string' || !isAcceptableAddress(address)) {
    throw refuse(400, 'push.webhookUrlNotHttps', `WebHook callback must be HTTPS: ${String(address)}`);
  }
  if (token !== null && (typeof token !== 'string' || token.length > 256)) throw invalid('Invalid value for: token');
  if (!store.details.isWatchable) {
    throw refuse(400, 'pushNotSupportedForRequestedResource', 'Push notifications are not supported by this resource.');
  }
  const channel: GoogleChannel = {
    id,
    store,
    resourceId: resourceIdOf(store),
    address,
    token,
    expiresAtMs: readExpiry(state, body),
    email: caller.account.email,
    clientId: caller.grant.clientId,
    resourceUri: `${call.origin}/calendar/v3/calendars/${encodeURIComponent(call.params.calendarId ?? '')}/events?alt=json`,
    messageNumber: 0,
  };
  state.googleChannels.open(channel);
  // The sync message may overtake the answer; it is under way before this returns.
  pushSync(state, channel);
  return ok(applyMask(call.query.get('fields'), describe(channel)));
}

/** Chosen by the client, at most 64 characters, never used before. */
function readChannelId(state: SandboxState, body: Body): string {
  const { id } = body;
  if (typeof id !== 'string' || id === '') throw refuse(400, 'required', 'Required: id');
  if (id.length > 64 || !/^[A-Za-z0-9\-_+/=]+$/.test(id)) throw invalid('Invalid value for: id', 'id');
  if (state.googleChannels.isTaken(id)) throw refuse(400, 'channelIdNotUnique', `Channel id ${id} not unique`);
  return id;
}

/** A moment in milliseconds or a life in seconds, whichever is sooner, and never beyond the maximum. */
function readExpiry(state: SandboxState, body: Body): number {
  const now = state.clock.now();
  const wishes = [now + state.settings.google.max_channel_seconds * 1000];
  const ttl = (body.params as Body | undefined)?.ttl;
  const { expiration } = body;
  if (ttl !== undefined) wishes.push(now + readWhole(ttl, 'params.ttl') * 1000);
  if (expiration !== undefined && expiration !== null) wishes.push(readWhole(expiration, 'expiration'));
  if (wishes.length === 1) wishes.push(now + DEFAULT_TTL_SECONDS * 1000);
  const expiresAtMs = Math.min(...wishes);
  if (expiresAtMs <= now) throw invalid('Invalid value for: expiration', 'expiration');
  // Google answers in whole seconds.
  return Math.floor(expiresAtMs / 1000) * 1000;
}

function readWhole(value: unknown, name: string): number {
  if (!/^\d{1,16}$/.test(String(value))) throw invalid(`Invalid value for: ${name}`, name);
  return Number(value);
}

/** Opaque, and the same for every channel on one calendar. */
function resourceIdOf(store: CalendarStore): string {
  return createHash('sha256')
    .update(`events ${store.details.ownerEmail} ${store.details.id}`)
    .digest('base64url')
    .slice(0, 27);
}

function describe(channel: GoogleChannel) {
  return {
    kind: 'api#channel',
    id: channel.id,
    resourceId: channel.resourceId,
    resourceUri: channel.resourceUri,
    ...(channel.token === null ? {} : { token: channel.token }),
    expiration: String(channel.expiresAtMs),
  };
}

/** By the same user through the same client, with the id of the resource; anything else is not found. */
export function stopChannel(state: SandboxState, call: Call, caller: Caller): Answer {
  const { id, resourceId } = readBody(call.text);
  if (typeof id !== 'string' || typeof resourceId !== 'string') throw refuse(400, 'required', 'Required');
  state.googleChannels.dropExpired(state.clock.now());
  const channel = state.googleChannels.get(id);
  const isOwn =
    channel?.resourceId === resourceId &&
    channel.email === caller.account.email &&
    channel.clientId === caller.grant.clientId;
  if (!isOwn) throw notFound();
  state.googleChannels.stop(id);
  return { status: 204 };
}
