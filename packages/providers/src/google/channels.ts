import type { calendar_v3 } from '@googleapis/calendar';
import {
  type CalendarSession,
  type ChannelHandle,
  type OpenChannelRequest,
  type OpenedChannel,
  ProviderError,
} from '../contract/index.ts';
import { callGoogle } from './call-google.ts';

/** `events.watch`. What Google grants may end sooner than what was asked for; only its answer counts. */
export async function openChannel(
  client: calendar_v3.Calendar,
  session: CalendarSession,
  request: OpenChannelRequest,
  signal: AbortSignal,
): Promise<OpenedChannel> {
  const requestBody = {
    id: request.channelId,
    type: 'web_hook',
    address: request.notificationUrl,
    token: request.secret,
    expiration: String(request.expiresAt.getTime()),
  };
  const channel = await callGoogle('open_channel', session, signal, (options) =>
    client.events.watch({ calendarId: session.calendarId, requestBody }, options),
  );
  const expiresAt = Number(channel.expiration);
  return {
    resourceId: channel.resourceId ?? null,
    subscriptionId: null,
    expiresAt: Number.isFinite(expiresAt) && expiresAt > 0 ? new Date(expiresAt) : request.expiresAt,
  };
}

/** `channels.stop`; a channel that Google does not know (any more) is ended. */
export async function closeChannel(
  client: calendar_v3.Calendar,
  session: CalendarSession,
  channel: ChannelHandle,
  signal: AbortSignal,
): Promise<void> {
  // Without a resource id the watch was never answered, and cannot be stopped: it ends by itself.
  if (channel.resourceId === null) return;
  const requestBody = { id: channel.channelId, resourceId: channel.resourceId };
  try {
    await callGoogle('close_channel', session, signal, (options) => client.channels.stop({ requestBody }, options));
  } catch (error) {
    if (!(error instanceof ProviderError && error.kind === 'not_found')) throw error;
  }
}

/** Google has no way to extend a channel. */
export async function renewChannel(): Promise<never> {
  throw new ProviderError({
    kind: 'permanent',
    calendarProvider: 'google',
    operation: 'renew_channel',
    status: null,
    reason: 'renewal_unsupported',
    retryAfterMs: null,
    requestId: null,
    outcomeUnknown: false,
  });
}
