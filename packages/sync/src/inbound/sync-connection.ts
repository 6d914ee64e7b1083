/**
 * Bringing one connection up to date: claim, read, fold, store, record. The story of the inbound direction.
 *
 * What if another worker does the same? The lease lets one in; the token refuses the other's results. What if it dies
 * here? Pages wait in staging, or belong to a connection that nobody trusts yet; cursor, counters and intervals change in one transaction. What if
 * a notification comes meanwhile? `requested` moves on, and the sync says that another look is due.
 */
import {
  type AppliedCounts,
  applyFullRound,
  applyIncrement,
  beginFirstRound,
  type Connection,
  claimSync,
  clearStagedPages,
  type Database,
  extendSyncLease,
  findKnownEffects,
  type IntervalOwner,
  insertSyncRun,
  LeaseLostError,
  recordSyncFailure,
  recordSyncSuccess,
  releaseSyncLease,
  requestInspection,
  type StoredCredentials,
  type SyncClaim,
  stagePage,
  storeFirstPage,
  storeIncrement,
} from '@bookiji/db';
import { type CalendarPort, type ChangePage, ProviderError } from '@bookiji/providers/contract';
import { silentAfterSeconds, unannouncedSince } from '../channels/judge-silence.ts';
import { type BackoffSettings, settleFailure, toLastError } from '../failures/settle-failure.ts';
import { keepLease, type LeaseKeeper } from '../lease-keeper.ts';
import { creationKey, storedKey } from '../outbound/event-identity.ts';
import { type FoldedPage, foldChanges, type OwnEvent } from './fold-changes.ts';
import { planRound, type Round, type WindowSettings } from './plan-round.ts';
import { createPageWriter } from './write-ahead.ts';

/**
 * Changes that are stored in one statement. It locks the row that ingress writes to from its beginning, so it must be
 * short; a larger page writes its intervals first.
 */
const SMALL_PAGE = 100;

/** A page of Graph's feed may take hundreds of requests more, for the series in it, out of a budget that others share. */
const PAGE_AT_MOST_MS = 10 * 60_000;

export interface SyncDependencies {
  readonly db: Database;
  /** The calendar of a connection, with all policies around it. */
  readonly openCalendar: (connection: Connection, credentials?: StoredCredentials) => CalendarPort;
  /** This process, as it stands in leases. */
  readonly owner: string;
  readonly window: WindowSettings;
  readonly backoff: BackoffSettings;
  readonly reconcileSeconds: number;
  readonly leaseMs: number;
  readonly random: () => number;
}

export interface SyncCounts {
  readonly mode: 'incremental' | 'full';
  readonly pages: number;
  readonly putCount: number;
  readonly droppedCount: number;
  readonly unreadableCount: number;
}

export type SyncOutcome =
  | ({
      readonly outcome: 'synced';
      readonly connection: Connection;
      /** Something was requested meanwhile. */
      readonly lookAgain: boolean;
      /** Notification accepted → committed, seconds; null when no notification asked for it. */
      readonly changeLagSeconds: number | null;
      /** Bookings whose event should be read: their owner seems to have touched it. */
      readonly suspectBookingIds: readonly string[];
    } & SyncCounts)
  | {
      readonly outcome: 'failed';
      readonly connection: Connection;
      readonly error: ProviderError;
      readonly parked: boolean;
    }
  /** No work, a wait that is not over, or another worker has it. */
  | { readonly outcome: 'nothing_due' }
  | { readonly outcome: 'lease_lost'; readonly connection: Connection }
  /** The process is stopping; the lease was given back. */
  | { readonly outcome: 'interrupted'; readonly connection: Connection };

/**
 * Syncs one connection if it is due.
 *
 * Provider failures are recorded and returned; a database failure is thrown, and nothing of this sync is stored then.
 */
export async function syncConnection(
  deps: SyncDependencies,
  connectionId: string,
  signal: AbortSignal,
): Promise<SyncOutcome> {
  const claim = await claimSync(deps.db, { connectionId, owner: deps.owner, leaseMs: deps.leaseMs });
  if (claim === null) return { outcome: 'nothing_due' };
  const lease = { connectionId, token: claim.token };
  const terms = { leaseMs: deps.leaseMs, stepAtMostMs: PAGE_AT_MOST_MS };
  const keeper = keepLease(() => extendSyncLease(deps.db, { ...lease, leaseMs: deps.leaseMs }), terms, signal);
  try {
    return await keeper.hold(attempt(deps, claim, keeper, signal));
  } catch (error) {
    if (error instanceof LeaseLostError) return { outcome: 'lease_lost', connection: claim.connection };
    throw error;
  } finally {
    keeper.stop();
  }
}

async function attempt(
  deps: SyncDependencies,
  claim: SyncClaim,
  keeper: LeaseKeeper,
  signal: AbortSignal,
): Promise<SyncOutcome> {
  const { connection, token } = claim;
  try {
    return await readAndStore(deps, claim, keeper);
  } catch (error) {
    if (error instanceof LeaseLostError || keeper.signal.reason instanceof LeaseLostError) {
      return { outcome: 'lease_lost', connection };
    }
    if (signal.aborted) {
      await releaseSyncLease(deps.db, { connectionId: connection.id, token });
      return { outcome: 'interrupted', connection };
    }
    if (error instanceof ProviderError) return await settle(deps, claim, error);
    throw error;
  }
}

async function readAndStore(deps: SyncDependencies, claim: SyncClaim, keeper: LeaseKeeper): Promise<SyncOutcome> {
  const { connection } = claim;
  const port = deps.openCalendar(connection, claim.credentials);
  const round = planRound(
    { cursor: connection.syncCursor, windowStart: connection.syncWindowStart, windowEnd: connection.syncWindowEnd },
    // A look may be late once before the promise suffers.
    { ...deps.window, untilNextLookSeconds: 2 * deps.reconcileSeconds },
    claim.claimedAt,
  );
  try {
    return await runRound(deps, claim, port, round, keeper);
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'cursor_expired' || round.mode === 'full') throw error;
    // The old intervals stay in force until the full round replaces them in one step.
    const afresh = planRound({ cursor: null, windowStart: null, windowEnd: null }, deps.window, claim.claimedAt);
    // The round that was broken off may have staged pages under this very token.
    return await runRound(deps, { ...claim, hasStagedPages: true }, port, afresh, keeper);
  }
}

async function runRound(
  deps: SyncDependencies,
  claim: SyncClaim,
  port: CalendarPort,
  round: Round,
  keeper: LeaseKeeper,
): Promise<SyncOutcome> {
  const { connection, token } = claim;
  const owner = ownerOf(connection);
  const isFirst = round.mode === 'full' && connection.lastSyncedAt === null;
  if (claim.hasStagedPages) await clearStagedPages(deps.db, connection.id, token);
  if (isFirst) await beginFirstRound(deps.db, owner, token);
  const writer = createPageWriter((page) => storeFirstPage(deps.db, owner, token, page));
  const suspects = new Set<string>();
  let pages = 0;
  let unreadableCount = 0;
  for await (const page of readPages(port, round, keeper.signal)) {
    keeper.proceed();
    pages += 1;
    unreadableCount += page.unreadable.length;
    const folded = await foldPage(deps.db, connection, page, round);
    for (const bookingId of folded.suspectBookingIds) suspects.add(bookingId);
    if (page.cursor === null && isFirst) {
      await writer.add(folded);
      continue;
    }
    if (page.cursor === null) {
      await stagePage(deps.db, connection.id, token, folded);
      continue;
    }
    const read = { mode: round.mode, pages, unreadableCount };
    const last = { folded, cursor: page.cursor, isFirst, early: await writer.end() };
    const stored = await storeLastPage(deps, claim, round, last, read, [...suspects]);
    return {
      outcome: 'synced',
      connection,
      lookAgain: stored.lookAgain,
      changeLagSeconds:
        connection.notifiedAt === null ? null : (stored.recordedAt.getTime() - connection.notifiedAt.getTime()) / 1000,
      suspectBookingIds: [...suspects],
      ...read,
      ...stored.counts,
    };
  }
  throw new Error('the feed ended without a cursor');
}

/** Pages in order; the next one is asked for while the caller stores the current one. */
async function* readPages(port: CalendarPort, round: Round, signal: AbortSignal): AsyncGenerator<ChangePage> {
  const ask = (page: string | null) => port.listChanges({ cursor: round.cursor, page, window: round.window }, signal);
  let pending: Promise<ChangePage> | null = ask(null);
  while (pending !== null) {
    const page: ChangePage = await pending;
    pending = page.nextPage === null ? null : ask(page.nextPage);
    // Asked for ahead: if storing fails first, its own failure must not go unheard.
    pending?.catch(() => undefined);
    yield page;
  }
}

async function foldPage(db: Database, connection: Connection, page: ChangePage, round: Round): Promise<FoldedPage> {
  const { id: connectionId, calendarProvider } = connection;
  const eventIds: string[] = [];
  const keys: string[] = [];
  const bookingIds: string[] = [];
  for (const change of page.changes) {
    if (change.kind === 'series_reset') continue;
    eventIds.push(change.eventId);
    if (change.kind === 'tombstone') continue;
    if (change.creationKey !== null) keys.push(change.creationKey);
    if (change.marker !== null && change.marker.connectionId === connectionId) bookingIds.push(change.marker.bookingId);
  }
  const own = new Map<string, OwnEvent>();
  for (const effect of await findKnownEffects(db, connectionId, eventIds, keys, bookingIds)) {
    const currentKey = storedKey(creationKey(effect.bookingId, connectionId, effect.generation), calendarProvider);
    const names = [effect.externalEventId, effect.creationKey, ...effect.formerKeys, effect.bookingId];
    for (const name of names) if (name !== null) own.set(name, { ...effect, currentKey });
  }
  return foldChanges(
    page.changes,
    round.window,
    ({ eventId, creationKey: key, bookingId }) =>
      own.get(eventId) ?? own.get(key ?? '') ?? own.get(bookingId ?? '') ?? null,
  );
}

function ownerOf({ id, providerId, calendarProvider }: Connection): IntervalOwner {
  return { connectionId: id, providerId, calendarProvider };
}

interface LastPage {
  readonly folded: FoldedPage;
  readonly cursor: string;
  /** Of a round whose earlier pages are written already. */
  readonly isFirst: boolean;
  readonly early: AppliedCounts;
}

/** Everything that takes effect together: intervals, reads asked for, the run, cursor and counters. */
async function storeLastPage(
  deps: SyncDependencies,
  claim: SyncClaim,
  round: Round,
  last: LastPage,
  read: Pick<SyncCounts, 'mode' | 'pages' | 'unreadableCount'>,
  suspects: readonly string[],
) {
  const { connection, token, noted, claimedAt } = claim;
  const { folded, cursor, isFirst, early } = last;
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
  if (isSmall && suspects.length === 0 && silenceOf(deps, claim, round, changedAtMost) === null) {
    const { requestedBy } = connection;
    const { unreadableCount } = read;
    return storeIncrement(deps.db, { ...success, owner, page: folded, requestedBy, unreadableCount });
  }
  return deps.db.transaction(async (tx) => {
    const applied =
      round.mode === 'full' && !isFirst
        ? await applyFullRound(tx, owner, token, folded)
        : await applyIncrement(tx, owner, token, folded, read.pages > 1 && !isFirst);
    const counts = {
      putCount: early.putCount + applied.putCount,
      droppedCount: early.droppedCount + applied.droppedCount,
    };
    await requestInspection(tx, connection.id, suspects);
    await noteRun(tx, claim, { ...read, ...counts }, 'synced', null);
    const recorded = await recordSyncSuccess(tx, {
      ...success,
      connectionId: connection.id,
      unannouncedSince: silenceOf(deps, claim, round, counts.putCount + counts.droppedCount),
    });
    return { counts, ...recorded };
  });
}

function silenceOf(
  { reconcileSeconds }: SyncDependencies,
  { connection, claimedAt }: SyncClaim,
  { mode }: Round,
  changedCount: number,
): Date | null {
  const { notifiedAt, lastWebhookReceivedAt: lastNotificationAt, lastSyncedAt } = connection;
  const look = { mode, changedCount, notifiedAt, lastNotificationAt, lastSyncedAt, claimedAt };
  return unannouncedSince(look, silentAfterSeconds(reconcileSeconds));
}

async function settle(deps: SyncDependencies, claim: SyncClaim, error: ProviderError): Promise<SyncOutcome> {
  const { connection, claimedAt } = claim;
  const settlement = settleFailure(error, connection.errorCount, deps.backoff, deps.random());
  const lastError = toLastError(error, claimedAt);
  const recorded = await recordSyncFailure(deps.db, {
    connectionId: connection.id,
    token: claim.token,
    error: lastError,
    waitMs: settlement.waitMs,
    countsAsError: settlement.countsAsError,
    ...(error.kind === 'cursor_expired' ? { dropCursor: true } : {}),
    ...(settlement.park === null ? {} : { park: settlement.park }),
  });
  if (!recorded) return { outcome: 'lease_lost', connection };
  const none = { pages: 0, putCount: 0, droppedCount: 0, unreadableCount: 0 };
  await noteRun(
    deps.db,
    claim,
    { mode: connection.syncCursor === null ? 'full' : 'incremental', ...none },
    'failed',
    lastError,
  );
  return { outcome: 'failed', connection, error, parked: settlement.park !== null };
}

async function noteRun(
  db: Database,
  claim: SyncClaim,
  counts: SyncCounts,
  outcome: 'synced' | 'failed',
  error: ReturnType<typeof toLastError> | null,
): Promise<void> {
  await insertSyncRun(db, {
    connectionId: claim.connection.id,
    requestedBy: claim.connection.requestedBy,
    outcome,
    error,
    startedAt: claim.claimedAt,
    ...counts,
  });
}
