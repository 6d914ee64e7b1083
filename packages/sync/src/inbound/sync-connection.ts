/**
 * Bringing one connection up to date: claim, read, fold, store, record. The story of the inbound direction.
 *
 * What if another worker does the same? The lease lets one in; the token refuses the other's results. What if it dies
 * here? Pages wait in staging, or belong to a connection that nobody trusts yet; cursor, counters and intervals change in
 * one transaction. What if a notification comes meanwhile? `requested` moves on, and the sync says that another look is due.
 */
import {
  type Connection,
  claimSync,
  extendSyncLease,
  LeaseLostError,
  recordSyncFailure,
  releaseSyncLease,
  type SyncClaim,
} from '@bookiji/db';
import { ProviderError, WINDOW_DAYS_AT_MOST } from '@bookiji/providers/contract';
import { settleFailure, toLastError } from '../failures/settle-failure.ts';
import { keepLease, type LeaseKeeper } from '../lease-keeper.ts';
import { planRound, type Round } from './plan-round.ts';
import type { RoundContext, SyncDependencies } from './round-context.ts';
import { runRound } from './run-round.ts';
import { noteRun } from './store-last-page.ts';
import type { Synced, SyncOutcome } from './sync-outcome.ts';

/** A page of Graph's feed may take hundreds of requests more, for the series in it, out of a budget that others share. */
const PAGE_AT_MOST_MS = 10 * 60_000;

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
  let round = planNext(deps, claim);
  try {
    const context = { deps, port: deps.openCalendar(connection, claim.credentials), keeper };
    const first = await runUnlessExpired({ ...context, claim, round });
    if (first !== 'cursor_expired') return first;
    // The old intervals stay in force until the full round replaces them in one step.
    round = planAfresh(deps, claim);
    // The round that was broken off may have staged pages under this very token.
    return await runRound({ ...context, claim: { ...claim, hasStagedPages: true }, round });
  } catch (error) {
    if (error instanceof LeaseLostError || keeper.signal.reason instanceof LeaseLostError) {
      return { outcome: 'lease_lost', connection };
    }
    if (signal.aborted) {
      await releaseSyncLease(deps.db, { connectionId: connection.id, token });
      return { outcome: 'interrupted', connection };
    }
    if (error instanceof ProviderError) return await settle(deps, claim, round.mode, error);
    throw error;
  }
}

function planNext(deps: SyncDependencies, { connection, claimedAt }: SyncClaim): Round {
  return planRound(
    { cursor: connection.syncCursor, windowStart: connection.syncWindowStart, windowEnd: connection.syncWindowEnd },
    // A look may be late once before the promise suffers.
    { ...windowOf(deps, connection), untilNextLookSeconds: 2 * deps.reconcileSeconds },
    claimedAt,
  );
}

function planAfresh(deps: SyncDependencies, { connection, claimedAt }: SyncClaim): Round {
  return planRound({ cursor: null, windowStart: null, windowEnd: null }, windowOf(deps, connection), claimedAt);
}

function windowOf({ window }: SyncDependencies, { calendarProvider }: Connection) {
  return { ...window, daysAtMost: WINDOW_DAYS_AT_MOST[calendarProvider] };
}

/** A cursor that is too old is no failure as long as everything can be read afresh instead. */
async function runUnlessExpired(context: RoundContext): Promise<Synced | 'cursor_expired'> {
  try {
    return await runRound(context);
  } catch (error) {
    const isExpired = error instanceof ProviderError && error.kind === 'cursor_expired';
    if (isExpired && context.round.mode === 'incremental') return 'cursor_expired';
    throw error;
  }
}

async function settle(
  deps: SyncDependencies,
  claim: SyncClaim,
  mode: Round['mode'],
  error: ProviderError,
): Promise<SyncOutcome> {
  const { connection, claimedAt } = claim;
  const settlement = settleFailure(error, connection, deps.backoff, deps.random());
  const lastError = toLastError(error, connection, claimedAt);
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
  await noteRun(deps.db, claim, { mode, ...none }, lastError);
  return { outcome: 'failed', connection, mode, error, parked: settlement.park !== null };
}
