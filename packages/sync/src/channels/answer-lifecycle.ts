import { type Database, requestRenewal, setChannelState } from '@bookiji/db';

/**
 * What Graph says about a subscription rather than about the calendar. `missed` needs only the look that every
 * notification asks for.
 */
export type LifecycleEvent = 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed' | 'unknown';

/**
 * Records what a proven lifecycle notification asks for, so that it survives the loss of its ring: a removed
 * subscription leaves its connection without a channel, and one to be reauthorized counts as expired. Upkeep finds both.
 * https://learn.microsoft.com/graph/change-notifications-lifecycle-events
 */
export async function noteLifecycle(db: Database, channelId: string, event: LifecycleEvent): Promise<void> {
  if (event === 'subscriptionRemoved') await setChannelState(db, channelId, 'retired');
  if (event === 'reauthorizationRequired') await requestRenewal(db, channelId);
}
