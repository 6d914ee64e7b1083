import type { Connection } from '@bookiji/db';
import type { Interval } from './intervals.ts';

/** Why a connection's busy time can, or cannot, be relied on. */
export type EvidenceReason =
  | 'fresh'
  /** Older than the caller accepts. */
  | 'stale'
  /** As `stale`, and a failure is being waited out. */
  | 'backing_off'
  | 'never_synced'
  /** The owner must reconnect. */
  | 'revoked'
  | 'disabled'
  /** A slot lies outside the window in sync. */
  | 'outside_window'
  /** The calendar shows something that may block and cannot be read: nobody knows when. */
  | 'unreadable';

export interface Evidence {
  readonly connectionId: string;
  readonly lastSyncedAt: Date | null;
  readonly isFresh: boolean;
  readonly reason: EvidenceReason;
}

type Judged = Pick<
  Connection,
  'id' | 'status' | 'syncEnabled' | 'lastSyncedAt' | 'syncWindowStart' | 'syncWindowEnd' | 'backoffUntil'
> & { readonly hasDoubts: boolean };

/**
 * Judges one connection. Pure; doubt is never fresh.
 *
 * @param span from the first slot's start to the last slot's end.
 */
export function judgeEvidence(connection: Judged, span: Interval, maxAgeSeconds: number, now: Date): Evidence {
  const reason = findReason(connection, span, maxAgeSeconds, now);
  return { connectionId: connection.id, lastSyncedAt: connection.lastSyncedAt, isFresh: reason === 'fresh', reason };
}

function findReason(connection: Judged, span: Interval, maxAgeSeconds: number, now: Date): EvidenceReason {
  if (connection.status === 'reauth_required') return 'revoked';
  if (connection.status === 'disabled' || !connection.syncEnabled) return 'disabled';
  const { lastSyncedAt, syncWindowStart, syncWindowEnd, backoffUntil } = connection;
  if (lastSyncedAt === null || syncWindowStart === null || syncWindowEnd === null) return 'never_synced';
  if (now.getTime() - lastSyncedAt.getTime() > maxAgeSeconds * 1000) {
    return backoffUntil !== null && backoffUntil > now ? 'backing_off' : 'stale';
  }
  if (span.startAt < syncWindowStart || span.endAt > syncWindowEnd) return 'outside_window';
  return connection.hasDoubts ? 'unreadable' : 'fresh';
}

/** Reasons that one more sync may cure. */
export function isCurable(reason: EvidenceReason): boolean {
  return reason === 'stale' || reason === 'never_synced';
}
