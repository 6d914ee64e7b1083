/**
 * Carrying one booking into one calendar: claim, plan and write, record. The story of the outbound direction.
 *
 * What if another worker does the same? One holds the lease; the other's record is refused. What if a worker sleeps
 * past its lease and wakes up before its call? The key refuses a second create, the etag an old update. What if the
 * answer is lost, or the worker dies before recording? The next claim finds the noted key and reads.
 */
import {
  claimEffect,
  type Database,
  type EffectClaim,
  type ExternalChange,
  extendEffectLease,
  isDatabaseFailure,
  LeaseLostError,
  noteCreation,
  recordEffectSuccess,
  releaseEffectLease,
  type StoredCredentials,
} from '@bookiji/db';
import { type CalendarPort, type CalendarProvider, ownError, ProviderError } from '@bookiji/providers/contract';
import type { BackoffSettings } from '../failures/settle-failure.ts';
import { keepLease, type LeaseKeeper } from '../lease-keeper.ts';
import { mappingOf } from './booking-mapping.ts';
import { type ConvergedEvent, convergeEvent } from './converge-event.ts';
import { toSecond } from './draft-event.ts';
import { creationKey, storedKey } from './event-identity.ts';
import { inspectEvent } from './inspect-event.ts';
import { recordInspection } from './record-inspection.ts';
import { NEWER_VERSION_SHOWN, settleDefect, settleWrite } from './settle-write.ts';

export interface ConvergeDependencies {
  readonly db: Database;
  /** The calendar of a connection, with all policies around it. */
  readonly openCalendar: (
    connection: {
      readonly id: string;
      readonly calendarProvider: CalendarProvider;
      readonly externalCalendarId: string;
    },
    credentials?: StoredCredentials,
    onAnswer?: () => void,
  ) => CalendarPort;
  readonly owner: string;
  readonly backoff: BackoffSettings;
  readonly leaseMs: number;
  /** Without an answer for so long, work is taken to stand still (two minutes). */
  readonly stepAtMostMs?: number;
  readonly random: () => number;
}

export interface BookingTarget {
  readonly bookingId: string;
  readonly connectionId: string;
}

export type ConvergeOutcome =
  | {
      readonly outcome: 'converged';
      readonly action: ConvergedEvent['action'] | 'inspected';
      readonly claim: EffectClaim;
      /** A newer version, or another read, is already asked for. */
      readonly workAgain: boolean;
      /** Booking event received → calendar written, seconds. */
      readonly bookingLagSeconds: number;
      readonly externalChange: ExternalChange | null;
    }
  | { readonly outcome: 'failed'; readonly claim: EffectClaim; readonly error: ProviderError; readonly isDead: boolean }
  | { readonly outcome: 'nothing_due' }
  | { readonly outcome: 'lease_lost' }
  | { readonly outcome: 'interrupted' };

/** One request, which has its own limit, waiting for its turn included. A search at Graph may take dozens of them. */
const STEP_AT_MOST_MS = 120_000;

/**
 * Brings one booking's event up to date if it is due.
 *
 * Provider failures are recorded and returned; a database failure is thrown, and nothing of this attempt is recorded. What
 * nobody expected is recorded and thrown.
 */
export async function convergeBooking(
  deps: ConvergeDependencies,
  target: BookingTarget,
  signal: AbortSignal,
): Promise<ConvergeOutcome> {
  const claim = await claimEffect(deps.db, { ...target, owner: deps.owner, leaseMs: deps.leaseMs });
  if (claim === null) return { outcome: 'nothing_due' };
  const lease = { ...target, token: claim.token };
  const terms = { leaseMs: deps.leaseMs, stepAtMostMs: deps.stepAtMostMs ?? STEP_AT_MOST_MS };
  const keeper = keepLease(() => extendEffectLease(deps.db, { ...lease, leaseMs: deps.leaseMs }), terms, signal);
  try {
    return await keeper.hold(attempt(deps, claim, keeper, signal));
  } catch (error) {
    if (error instanceof LeaseLostError) return { outcome: 'lease_lost' };
    throw error;
  } finally {
    keeper.stop();
  }
}

async function attempt(
  deps: ConvergeDependencies,
  claim: EffectClaim,
  keeper: LeaseKeeper,
  signal: AbortSignal,
): Promise<ConvergeOutcome> {
  try {
    const port = openPort(deps, claim, keeper);
    return claim.effect.appliedVersion < claim.desired.version
      ? await writeVersion(deps, claim, port, keeper.signal)
      : await inspect(deps, claim, port, keeper.signal);
  } catch (error) {
    const isLost = error instanceof LeaseLostError || keeper.signal.reason instanceof LeaseLostError;
    if (isLost) return { outcome: 'lease_lost' };
    if (signal.aborted) {
      await releaseEffectLease(deps.db, leaseOf(claim));
      return { outcome: 'interrupted' };
    }
    if (error instanceof ProviderError) {
      return { outcome: 'failed', claim, error, ...(await settleWrite(deps, claim, error)) };
    }
    if (!isDatabaseFailure(error)) await settleDefect(deps, claim, error);
    throw error;
  }
}

function leaseOf({ effect, token }: EffectClaim) {
  return { bookingId: effect.bookingId, connectionId: effect.connectionId, token };
}

function openPort(deps: ConvergeDependencies, claim: EffectClaim, keeper: LeaseKeeper): CalendarPort {
  const { calendarProvider, externalCalendarId, credentials } = claim;
  const connection = { id: claim.effect.connectionId, calendarProvider, externalCalendarId };
  return deps.openCalendar(connection, credentials, () => keeper.proceed());
}

async function writeVersion(
  deps: ConvergeDependencies,
  claim: EffectClaim,
  port: CalendarPort,
  signal: AbortSignal,
): Promise<ConvergeOutcome> {
  const { bookingId, connectionId } = claim.effect;
  const lease = leaseOf(claim);
  const result = await convergeEvent(claim, {
    port,
    signal,
    noteCreation: (generation) => {
      const key = storedKey(creationKey(bookingId, connectionId, generation), claim.calendarProvider);
      return noteCreation(deps.db, lease, { generation, creationKey: key });
    },
  });
  if (result.action === 'superseded') throw newerVersionShown(claim);
  const isLive = claim.desired.state === 'live';
  const recorded = await recordEffectSuccess(deps.db, {
    ...lease,
    appliedVersion: claim.desired.version,
    // A read that is asked for stays due: writing one event says nothing of strays beside it.
    inspected: claim.effect.inspected,
    externalEventId: result.eventId,
    deletedEventId: result.deletedEventId,
    etag: result.etag,
    generation: result.generation,
    writtenStart: isLive ? toSecond(claim.desired.startAt) : null,
    writtenEnd: isLive ? toSecond(claim.desired.endAt) : null,
    mapping: mappingOf(claim),
  });
  return {
    outcome: 'converged',
    action: result.action,
    claim,
    workAgain: recorded.workAgain,
    bookingLagSeconds: (recorded.recordedAt.getTime() - claim.effect.receivedAt.getTime()) / 1000,
    externalChange: null,
  };
}

/**
 * Under the lease nobody else writes, so it is not a newer writer that was faster: the database has lost versions that it
 * once wrote, or the mark was changed. The calendar is left as it is.
 */
function newerVersionShown({ calendarProvider }: EffectClaim): ProviderError {
  return ownError({ kind: 'conflict', calendarProvider, operation: 'find_event', reason: NEWER_VERSION_SHOWN });
}

async function inspect(
  deps: ConvergeDependencies,
  claim: EffectClaim,
  port: CalendarPort,
  signal: AbortSignal,
): Promise<ConvergeOutcome> {
  const inspection = await inspectEvent(claim, port, signal);
  const recorded = await recordInspection(deps.db, claim, inspection);
  return { outcome: 'converged', action: 'inspected', claim, bookingLagSeconds: 0, ...recorded };
}
