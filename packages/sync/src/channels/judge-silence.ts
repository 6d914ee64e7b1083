/** What a finished look says about the channel that did not announce it. */
export interface LookFacts {
  readonly mode: 'incremental' | 'full';
  /** Rows that the look really changed. */
  readonly changedCount: number;
  /** When the oldest notification was accepted that this look answers; null for none. */
  readonly notifiedAt: Date | null;
  readonly lastNotificationAt: Date | null;
  /** When the look before this one ended: what this one found came later, or not much earlier. */
  readonly lastSyncedAt: Date | null;
  readonly claimedAt: Date;
}

/**
 * Since when the channels should have announced what a look found; null when nothing is to be said against them. Pure.
 *
 * Only an increment that changed something counts: a full round finds what was there all along. And only in silence:
 * shortly after a notification, what is found may be what it announced, since Graph's feed lags behind its
 * notifications. One finding proves nothing, for both calendar providers lose a notification now and then; it is noted,
 * and stands until a notification comes.
 */
export function unannouncedSince(look: LookFacts, silentAfterSeconds: number): Date | null {
  if (look.mode === 'full' || look.changedCount === 0 || look.notifiedAt !== null) return null;
  const quietMs = look.claimedAt.getTime() - (look.lastNotificationAt?.getTime() ?? Number.NEGATIVE_INFINITY);
  return quietMs < silentAfterSeconds * 1000 ? null : look.lastSyncedAt;
}

/** Three looks' time: a channel that is silent for as long, while things change, is not merely late. */
export function silentAfterSeconds(reconcileSeconds: number): number {
  return 3 * reconcileSeconds;
}
