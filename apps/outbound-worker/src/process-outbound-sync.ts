import type { ExternalChange } from '@bookiji/db';
import type { FlagBoard } from '@bookiji/flags';
import { outboundSyncJob, type QueueSystem, ringOutboundSyncs } from '@bookiji/queues';
import { type ConvergeDependencies, type ConvergeOutcome, convergeBooking } from '@bookiji/sync';

export type OutboundSyncResult =
  | ConvergeOutcome
  | { readonly outcome: 'parked'; readonly reason: 'flag_off' | 'not_allowlisted' };

export interface OutboundSyncDeps {
  readonly converge: ConvergeDependencies;
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  readonly findProvider: (connectionId: string) => Promise<string | null>;
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
 * database and is found again by the sweep.
 *
 * @throws when the job is not one of ours, or the database is away: the queue tries again.
 */
export function createOutboundSyncProcessor(deps: OutboundSyncDeps) {
  return async (data: unknown, signal: AbortSignal): Promise<OutboundSyncResult> => {
    const { booking_id: bookingId, connection_id: connectionId } = outboundSyncJob.parse(data);
    const target = { bookingId, connectionId };
    const startedAt = performance.now();
    const result = (await findObstacle(deps, connectionId)) ?? (await convergeBooking(deps.converge, target, signal));
    deps.report(target, result, performance.now() - startedAt);
    if (result.outcome === 'converged') await passOn(deps, target, result);
    return result;
  };
}

async function findObstacle(deps: OutboundSyncDeps, connectionId: string): Promise<OutboundSyncResult | null> {
  if (!deps.flags.isOn('CALENDAR_JOBS_ENABLED') || !deps.flags.isOn('CALENDAR_SYNC_ENABLED')) {
    return { outcome: 'parked', reason: 'flag_off' };
  }
  const providerId = await deps.findProvider(connectionId);
  if (providerId === null) return { outcome: 'nothing_due' };
  return deps.flags.allows({ providerId, connectionId }) ? null : { outcome: 'parked', reason: 'not_allowlisted' };
}

async function passOn(
  deps: OutboundSyncDeps,
  target: { bookingId: string; connectionId: string },
  converged: Extract<OutboundSyncResult, { outcome: 'converged' }>,
): Promise<void> {
  try {
    if (converged.externalChange !== null) await deps.publishChanges([converged.externalChange]);
    if (converged.workAgain) {
      await ringOutboundSyncs(deps.queues, [{ booking_id: target.bookingId, connection_id: target.connectionId }]);
    }
  } catch (error) {
    deps.onRingLost(error);
  }
}
