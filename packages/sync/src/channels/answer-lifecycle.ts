import { type Database, requestRenewal, setChannelState } from '@bookiji/db';

/** What Graph says about a subscription rather than about the calendar. `missed` needs no more than the look that every notification asks for. */
export type LifecycleEvent = 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed' | 'unknown';

/**
 * Writes down what a proven lifecycle notification asks for, so that it survives whatever happens to the ring behind
 * it: upkeep finds a removed subscription's connection without a channel, and the other one's channel at its end.
 * https://learn.microsoft.com/graph/change-notifications-lifecycle-events
 */
export async function noteLifecycle(db: Database, channelId: string, event: LifecycleEvent): Promise<void> {
  if (event === 'subscriptionRemoved') await setChannelState(db, channelId, 'retired');
  if (event === 'reauthorizationRequired') await requestRenewal(db, channelId);
}
