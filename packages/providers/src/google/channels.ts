/**
 * Channels of Google's push. There is no call that lists them and none that extends one: a new one is opened before the
 * old one ends, and both deliver for a while.
 * https://developers.google.com/workspace/calendar/api/guides/push
 */
import { type ChannelHandle, type OpenChannelRequest, type OpenedChannel, ProviderError } from '../contract/index.ts';
import type { GoogleCalendar } from './google-calendar.ts';
import { ownError } from './own-error.ts';

/** `events.watch`. Google may grant less than was asked for; only what its answer says counts. */
export async function openChannel(
  calendar: GoogleCalendar,
  request: OpenChannelRequest,
  signal: AbortSignal,
): Promise<OpenedChannel> {
  const lifeMs = request.expiresAt.getTime() - calendar.now().getTime();
  const query = {
    calendarId: calendar.calendarId,
    fields: 'id,resourceId,expiration',
    requestBody: {
      id: request.channelId,
      type: 'web_hook',
      address: request.notificationUrl,
      token: request.secret,
      expiration: String(request.expiresAt.getTime()),
      // Unset it is seven days, which would cut a longer expiration short.
      params: { ttl: String(Math.max(1, Math.ceil(lifeMs / 1_000))) },
    },
  };
  const channel = await calendar.call(
    { operation: 'open_channel', send: (options) => calendar.events.watch(query, options) },
    signal,
  );
  const grantedAt = Number(channel.expiration ?? Number.NaN);
  return {
    resourceId: channel.resourceId ?? null,
    subscriptionId: null,
    expiresAt: Number.isFinite(grantedAt) ? new Date(grantedAt) : request.expiresAt,
  };
}

/**
 * `channels.stop`. A channel that Google does not know (404, 410) is ended. One whose resource id never became known,
 * because its opening was not answered and no notification came, cannot be stopped: it ends by itself.
 */
export async function closeChannel(
  calendar: GoogleCalendar,
  channel: ChannelHandle,
  signal: AbortSignal,
): Promise<void> {
  if (channel.resourceId === null) return;
  const query = { requestBody: { id: channel.channelId, resourceId: channel.resourceId } };
  try {
    await calendar.call(
      { operation: 'close_channel', isBodyless: true, send: (options) => calendar.channels.stop(query, options) },
      signal,
    );
  } catch (error) {
    if (!(error instanceof ProviderError && error.kind === 'not_found')) throw error;
  }
}

export async function renewChannel(): Promise<never> {
  throw ownError({ kind: 'permanent', operation: 'renew_channel', reason: 'renewal_unsupported' });
}
