import { type ExternalChange, postponeEffects } from '@bookiji/db';
import { dependsOnSubject, type FlagBoard, findObstacle, type Obstacle, type WorkSubject } from '@bookiji/flags';
import { outboundSyncJob, type QueueSystem, ringOutboundSyncs } from '@bookiji/queues';
import {
  type BookingTarget,
  type ConvergeDependencies,
  type ConvergeOutcome,
  convergeBooking,
  type ForeseenWrite,
  foreseeWrite,
} from '@bookiji/sync';

export type OutboundSyncResult =
  | ConvergeOutcome
  | ForeseenWrite
  | { readonly outcome: 'parked'; readonly reason: Obstacle | 'breaker_open' };

export interface OutboundSyncDeps {
  readonly converge: ConvergeDependencies;
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  /** Whose connection it is and where, for lists and switches; null when it is gone. */
  readonly findSubject: (connectionId: string) => Promise<Omit<WorkSubject, 'connectionId'> | null>;
  /** Whether the breaker of a calendar provider lets work begin; `waitMs` is null while somebody else tries. */
  readonly tryAcquire: (
    calendarProvider: WorkSubject['calendarProvider'],
  ) => { readonly mayGo: true } | { readonly mayGo: false; readonly waitMs: number | null };
  /** Whether no breaker keeps anything back, so that nobody need know which calendar provider it is. */
  readonly isCalm: () => boolean;
  /** Sends recorded changes on to the booking service; what fails is sent by the sweep. */
  readonly publishChanges: (changes: readonly ExternalChange[]) => Promise<void>;
  readonly report: (
    job: { bookingId: string; connectionId: string },
    result: OutboundSyncResult,
    durationMs: number,
  ) => void;
  readonly onRingLost: (error: unknown) => void;
}

/**
 * One job: bring one booking's event in one calendar up to date. Work that may not be done now stays due in the
 * database and is found again by the sweep; in shadow mode the job says what it would have written.
 *
 * @throws when the job is not one of ours, or the database is away: the queue tries again.
 */
export function createOutboundSyncProcessor(deps: OutboundSyncDeps) {
  const postpone = createPostponer(deps);
  return async (data: unknown, signal: AbortSignal): Promise<OutboundSyncResult> => {
    const { booking_id: bookingId, connection_id: connectionId } = outboundSyncJob.parse(data);
    const target = { bookingId, connectionId };
    const startedAt = performance.now();
    const result = (await park(deps, connectionId, postpone)) ?? (await carry(deps, target, signal));
    deps.report(target, result, performance.now() - startedAt);
    if (result.outcome === 'converged') await passOn(deps, target, result);
    return result;
  };
}

async function park(
  deps: OutboundSyncDeps,
  connectionId: string,
  postpone: ReturnType<typeof createPostponer>,
): Promise<OutboundSyncResult | null> {
  if (deps.isCalm() && !dependsOnSubject(deps.flags)) {
    const reason = findObstacle(deps.flags, null);
    return reason === null ? null : { outcome: 'parked', reason };
  }
  const subject = await deps.findSubject(connectionId);
  if (subject === null) return { outcome: 'nothing_due' };
  const reason = findObstacle(deps.flags, { ...subject, connectionId });
  if (reason !== null) return { outcome: 'parked', reason };
  return (await postpone(subject.calendarProvider)) ? { outcome: 'parked', reason: 'breaker_open' } : null;
}

/**
 * While a provider's calls would be turned away unasked, all its due work is put off in one statement, before anything is
 * claimed: the work of a provider that is down must cost the other one next to nothing.
 *
 * @returns says whether work at a calendar provider has to wait.
 */
function createPostponer({ converge, tryAcquire }: OutboundSyncDeps) {
  const putOffUntil = { google: 0, microsoft: 0 };
  return async (calendarProvider: WorkSubject['calendarProvider']): Promise<boolean> => {
    const permission = tryAcquire(calendarProvider);
    if (permission.mayGo) return false;
    const now = performance.now();
    // While one job tries, its own work must not be put off under its hands.
    if (permission.waitMs === null || now < putOffUntil[calendarProvider]) return true;
    putOffUntil[calendarProvider] = now + permission.waitMs;
    await postponeEffects(converge.db, calendarProvider, permission.waitMs);
    return true;
  };
}

function carry(deps: OutboundSyncDeps, target: BookingTarget, signal: AbortSignal): Promise<OutboundSyncResult> {
  if (deps.flags.isShadowing()) return foreseeWrite(deps.converge.db, target);
  return convergeBooking(deps.converge, target, signal);
}

async function passOn(
  deps: OutboundSyncDeps,
  target: { bookingId: string; connectionId: string },
  converged: Extract<OutboundSyncResult, { outcome: 'converged' }>,
): Promise<void> {
  try {
    // A deletion waits for its grace; the sweep tells it.
    const { externalChange } = converged;
    if (externalChange?.kind === 'moved') await deps.publishChanges([externalChange]);
    if (converged.workAgain) {
      await ringOutboundSyncs(deps.queues, [{ booking_id: target.bookingId, connection_id: target.connectionId }]);
    }
  } catch (error) {
    deps.onRingLost(error);
  }
}
