/** Ending channels at the calendar provider, also those of which nobody knows whether they were ever opened. */
import { type Channel, type Database, setChannelState } from '@bookiji/db';
import type { CalendarPort } from '@bookiji/providers/contract';

export interface ChannelCloser {
  readonly db: Database;
  readonly port: CalendarPort;
}

/**
 * Ends channels and retires their rows. Ended first, since a row that is retired is never looked at again: what cannot
 * be ended now is tried at the next look, and until then its notifications mean no more than "look".
 *
 * @param kept the channel that stays: Google names every channel on one calendar's events by the same resource, so one
 * whose opening was not answered can be ended by the resource of another.
 * @throws ProviderError
 */
export async function closeChannels(
  { db, port }: ChannelCloser,
  channels: readonly Channel[],
  kept: Pick<Channel, 'resourceId'> | null,
  signal: AbortSignal,
): Promise<void> {
  for (const { id, state, resourceId, subscriptionId } of channels) {
    if (state !== 'failed') {
      const handle = { channelId: id, resourceId: resourceId ?? kept?.resourceId ?? null, subscriptionId };
      await port.closeChannel(handle, signal);
    }
    await setChannelState(db, id, 'retired');
  }
}

/**
 * Ends the registrations that the provider lists under our address and that are not among those to keep: they were opened
 * by calls that were not answered.
 *
 * @param listKept asked after the provider was: what is on record by then is known, whoever opened it.
 */
export async function closeUnknown(
  { port }: Pick<ChannelCloser, 'port'>,
  notificationUrl: string,
  listKept: () => Promise<readonly Pick<Channel, 'subscriptionId'>[]>,
  signal: AbortSignal,
): Promise<void> {
  const listed = ((await port.listChannels(signal)) ?? []).filter((one) => one.notificationUrl === notificationUrl);
  const kept = new Set((await listKept()).map(({ subscriptionId }) => subscriptionId));
  for (const { subscriptionId } of listed) {
    if (kept.has(subscriptionId)) continue;
    const handle = { channelId: '', resourceId: null, subscriptionId };
    await port.closeChannel(handle, signal);
  }
}
