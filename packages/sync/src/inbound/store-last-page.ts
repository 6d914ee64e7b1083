/** The end of a round: everything that takes effect together, and its entry among the runs. */
import {
  type AppliedCounts,
  applyFullRound,
  applyIncrement,
  type Connection,
  type Database,
  type IntervalOwner,
  insertSyncRun,
  type LastError,
  recordSyncSuccess,
  replaceUnreadableItems,
  requestInspection,
  type SeenByRound,
  type SyncClaim,
  settleAdoptions,
  storeIncrement,
  type UnreadableRecord,
} from '@bookiji/db';
import { silentAfterSeconds, unannouncedSince } from '../channels/judge-silence.ts';
import type { FoldedPage } from './fold-changes.ts';
import type { RoundContext } from './round-context.ts';
import type { SyncCounts } from './sync-outcome.ts';

/**
 * Changes that are stored in one statement. It locks the row that ingress writes to from its beginning, so it must be
 * short; a larger page writes its intervals first.
 */
const SMALL_PAGE = 100;

export interface LastPage {
  readonly folded: FoldedPage;
  readonly cursor: string;
  /** The connection's first round: its earlier pages are written already. */
  readonly isFirstRound: boolean;
  readonly early: AppliedCounts;
  /** What of the calendar cannot be read, as of this round. */
  readonly unreadable: readonly UnreadableRecord[];
  readonly read: Pick<SyncCounts, 'mode' | 'pages' | 'unreadableCount'>;
  readonly suspectBookingIds: readonly string[];
  readonly seen: SeenByRound;
}

/** Everything that takes effect together: intervals, reads asked for, the run, cursor and counters. */
export async function storeLastPage(context: RoundContext, last: LastPage) {
  const { deps, claim, round } = context;
  const { connection, token, noted, claimedAt } = claim;
  const { folded, cursor, isFirstRound, early, unreadable, read, suspectBookingIds, seen } = last;
  const hasDoubts = claim.hasDoubts || unreadable.length > 0;
  const owner = ownerOf(connection);
  const success = {
    token,
    noted,
    claimedAt,
    cursor,
    window: round.window,
    reconcileAfterSeconds: deps.reconcileSeconds,
  };
  const changedAtMost = folded.puts.length + folded.dropIds.length + folded.resetSeriesIds.length;
  const isSmall = round.mode === 'incremental' && read.pages === 1 && changedAtMost <= SMALL_PAGE;
  const isAlone = suspectBookingIds.length === 0 && !hasDoubts && silenceOf(context, changedAtMost) === null;
  if (isSmall && isAlone) {
    const { requestedBy } = connection;
    const { unreadableCount } = read;
    return storeIncrement(deps.db, { ...success, owner, page: folded, requestedBy, unreadableCount });
  }
  return deps.db.transaction(async (tx) => {
    const applied =
      round.mode === 'full' && !isFirstRound
        ? await applyFullRound(tx, owner, token, folded, idsOf(unreadable))
        : await applyIncrement(tx, owner, token, folded, read.pages > 1 && !isFirstRound);
    const counts = {
      putCount: early.putCount + applied.putCount,
      droppedCount: early.droppedCount + applied.droppedCount,
    };
    if (isFirstRound) {
      await settleAdoptions(tx, connection.id, { window: round.window, seen, isWhole: read.unreadableCount === 0 });
    }
    if (hasDoubts) await replaceUnreadableItems(tx, connection.id, unreadable);
    await requestInspection(tx, connection.id, suspectBookingIds);
    await noteRun(tx, claim, { ...read, ...counts });
    const recorded = await recordSyncSuccess(tx, {
      ...success,
      mode: round.mode,
      connectionId: connection.id,
      unannouncedSince: silenceOf(context, counts.putCount + counts.droppedCount),
    });
    return { counts, ...recorded };
  });
}

function idsOf(unreadable: readonly UnreadableRecord[]): string[] {
  return unreadable.flatMap(({ eventId }) => eventId ?? []);
}

function silenceOf({ deps, claim, round }: RoundContext, changedCount: number): Date | null {
  const { connection, claimedAt } = claim;
  const { notifiedAt, lastWebhookReceivedAt: lastNotificationAt, lastSyncedAt } = connection;
  const look = { mode: round.mode, changedCount, notifiedAt, lastNotificationAt, lastSyncedAt, claimedAt };
  return unannouncedSince(look, silentAfterSeconds(deps.reconcileSeconds));
}

/** @param error what ended it; null when it was synced. */
export async function noteRun(
  db: Database,
  { connection, claimedAt }: SyncClaim,
  counts: SyncCounts,
  error: LastError | null = null,
): Promise<void> {
  await insertSyncRun(db, {
    connectionId: connection.id,
    requestedBy: connection.requestedBy,
    outcome: error === null ? 'synced' : 'failed',
    error,
    startedAt: claimedAt,
    ...counts,
  });
}

export function ownerOf({ id, providerId, calendarProvider }: Connection): IntervalOwner {
  return { connectionId: id, providerId, calendarProvider };
}
