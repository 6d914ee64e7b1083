import { dependsOnSubject, type FlagBoard, findObstacle, type Obstacle, type WorkSubject } from '@bookiji/flags';
import { inboundSyncJob, type QueueSystem, ringInboundSyncs, ringOutboundSyncs } from '@bookiji/queues';
import { type SyncDependencies, type SyncOutcome, syncConnection } from '@bookiji/sync';

/** What became of one job: the story's outcome, or why it was not told. */
export type InboundSyncResult = SyncOutcome | { readonly outcome: 'parked'; readonly reason: Obstacle };

export interface InboundSyncDeps {
  readonly sync: SyncDependencies;
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  /** Whose connection it is and where, for lists and switches; null when it is gone. */
  readonly findSubject: (connectionId: string) => Promise<Omit<WorkSubject, 'connectionId'> | null>;
  /** Told once per job, whatever became of it. */
  readonly report: (connectionId: string, result: InboundSyncResult, durationMs: number) => void;
  /** Told when a ring could not be sent; the sweep will find the work. */
  readonly onRingLost: (error: unknown) => void;
}

/**
 * One job: look at one connection. Work that may not be done now stays requested in the database and is found again by
 * the sweep, so a parked job is simply finished.
 *
 * @throws when the job is not one of ours, or the database is away: the queue tries again.
 */
export function createInboundSyncProcessor(deps: InboundSyncDeps) {
  return async (data: unknown, signal: AbortSignal): Promise<InboundSyncResult> => {
    const { connection_id: connectionId } = inboundSyncJob.parse(data);
    const startedAt = performance.now();
    const result = (await park(deps, connectionId)) ?? (await syncConnection(deps.sync, connectionId, signal));
    deps.report(connectionId, result, performance.now() - startedAt);
    if (result.outcome === 'synced') await ringOn(deps, connectionId, result);
    return result;
  };
}

async function park(deps: InboundSyncDeps, connectionId: string): Promise<InboundSyncResult | null> {
  const asksWhose = dependsOnSubject(deps.flags);
  const found = asksWhose ? await deps.findSubject(connectionId) : null;
  // A claim would find nothing there either.
  if (asksWhose && found === null) return { outcome: 'nothing_due' };
  const reason = findObstacle(deps.flags, found === null ? null : { ...found, connectionId });
  return reason === null ? null : { outcome: 'parked', reason };
}

async function ringOn(
  deps: InboundSyncDeps,
  connectionId: string,
  synced: Extract<InboundSyncResult, { outcome: 'synced' }>,
): Promise<void> {
  try {
    if (synced.lookAgain) await ringInboundSyncs(deps.queues, [connectionId]);
    await ringOutboundSyncs(
      deps.queues,
      synced.suspectBookingIds.map((bookingId) => ({ booking_id: bookingId, connection_id: connectionId })),
    );
  } catch (error) {
    deps.onRingLost(error);
  }
}
