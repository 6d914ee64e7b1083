/** Subscriptions: Graph's channels. https://learn.microsoft.com/graph/api/resources/subscription */
import { z } from 'zod';
import {
  type ChannelHandle,
  type ListedChannel,
  type OpenChannelRequest,
  type OpenedChannel,
  type Operation,
  ProviderError,
} from '../contract/index.ts';
import { type Graph, type GraphAnswer, unreadableAnswer } from './graph-client.ts';
import { readPage } from './graph-list.ts';
import { watchedResource } from './graph-paths.ts';
import { ownError } from './own-error.ts';

/**
 * How long a subscription to events may live: 10,080 minutes, less a margin for clocks that differ. Asking for more is
 * refused, not shortened.
 */
export const LONGEST_CHANNEL_MINUTES = 10_080 - 10;

/** What it was before 2024, and what a tenant that has not heard of it yet still refuses to exceed. */
const FORMERLY_LONGEST_MINUTES = 4_230 - 10;

export async function openChannel(
  graph: Graph,
  calendarId: string,
  request: OpenChannelRequest,
  now: Date,
  signal: AbortSignal,
): Promise<OpenedChannel> {
  const operation = 'open_channel';
  const bodyUntil = (expiresAt: Date) => ({
    changeType: 'created,updated,deleted',
    resource: watchedResource(calendarId),
    notificationUrl: request.notificationUrl,
    // It cannot be added later.
    lifecycleNotificationUrl: request.notificationUrl,
    expirationDateTime: expiresAt.toISOString(),
    clientState: request.secret,
  });
  const ask = (body: object) => graph.call({ operation, method: 'POST', to: { path: '/subscriptions' }, body, signal });
  return readOpened(await askForLongest(request.expiresAt, now, (until) => ask(bodyUntil(until))), operation);
}

/** Extends the subscription, which also renews its authorization: the answer to `reauthorizationRequired` too. */
export async function renewChannel(
  graph: Graph,
  channel: ChannelHandle,
  expiresAt: Date,
  now: Date,
  signal: AbortSignal,
): Promise<OpenedChannel> {
  const operation = 'renew_channel';
  if (channel.subscriptionId === null) {
    throw ownError({ kind: 'not_found', operation, reason: 'no_subscription_id' });
  }
  const to = { path: subscriptionPath(channel.subscriptionId) };
  const ask = (body: object) => graph.call({ operation, method: 'PATCH', to, body, signal });
  const answer = await askForLongest(expiresAt, now, (until) => ask({ expirationDateTime: until.toISOString() }));
  return readOpened(answer, operation);
}

/** A channel without a subscription's id was never answered; `listChannels` finds it by its address if it exists. */
export async function closeChannel(graph: Graph, channel: ChannelHandle, signal: AbortSignal): Promise<void> {
  if (channel.subscriptionId === null) return;
  const to = { path: subscriptionPath(channel.subscriptionId) };
  try {
    await graph.call({ operation: 'close_channel', method: 'DELETE', to, signal });
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'not_found') return;
    throw error;
  }
}

const subscriptionShape = z.object({
  id: z.string().min(1),
  expirationDateTime: z.string().refine((value) => !Number.isNaN(Date.parse(value))),
});
const listedShape = subscriptionShape.extend({ notificationUrl: z.string() });

export async function listChannels(graph: Graph, signal: AbortSignal): Promise<ListedChannel[]> {
  const operation = 'list_channels';
  const channels: ListedChannel[] = [];
  let to: { path: string } | { link: string } | null = { path: '/subscriptions' };
  while (to !== null) {
    const answer: GraphAnswer = await graph.call({ operation, to, signal });
    const page = readPage(answer.body);
    if (page === null) throw unreadableAnswer({ operation }, answer.status);
    for (const raw of page.value) {
      const listed = listedShape.safeParse(raw).data;
      if (listed === undefined) continue;
      const { id, notificationUrl, expirationDateTime } = listed;
      channels.push({ subscriptionId: id, notificationUrl, expiresAt: new Date(expirationDateTime) });
    }
    to = page.nextLink === null ? null : { link: page.nextLink };
  }
  return channels;
}

function readOpened(answer: GraphAnswer, operation: Operation): OpenedChannel {
  const granted = subscriptionShape.safeParse(answer.body).data;
  if (granted === undefined) throw unreadableAnswer({ operation }, answer.status);
  return { resourceId: null, subscriptionId: granted.id, expiresAt: new Date(granted.expirationDateTime) };
}

/** Asks once more for less where the longest life is refused: otherwise such a calendar would only ever be polled. */
async function askForLongest(
  expiresAt: Date,
  now: Date,
  ask: (until: Date) => Promise<GraphAnswer>,
): Promise<GraphAnswer> {
  const [longest, shorter] = [LONGEST_CHANNEL_MINUTES, FORMERLY_LONGEST_MINUTES].map((minutes) =>
    Math.min(expiresAt.getTime(), now.getTime() + minutes * 60_000),
  ) as [number, number];
  try {
    return await ask(new Date(longest));
  } catch (error) {
    const isTooLong = error instanceof ProviderError && error.kind === 'permanent' && error.status === 400;
    if (!isTooLong || shorter === longest) throw error;
    return ask(new Date(shorter));
  }
}

function subscriptionPath(subscriptionId: string): string {
  return `/subscriptions/${encodeURIComponent(subscriptionId)}`;
}
