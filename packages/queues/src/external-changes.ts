/** What owners did to bookings' events, for the booking service. One job per observed change. */
import { QUEUE_NAMES } from './queue-names.ts';
import type { QueueSystem } from './transport.ts';

export const EXTERNAL_CHANGE_KINDS = ['moved', 'deleted', 'held'] as const;
type ExternalChangeKind = (typeof EXTERNAL_CHANGE_KINDS)[number];

/** The message as it travels. Instants are ISO 8601, UTC; `start` and `end` only when moved. */
export interface ExternalChangeMessage {
  readonly schema: 1;
  readonly change_id: string;
  readonly kind: ExternalChangeKind;
  readonly booking_id: string;
  readonly provider_id: string;
  readonly connection_id: string;
  readonly booking_version: number;
  readonly start?: string;
  readonly end?: string;
  readonly observed_at: string;
}

/** A recorded change, as the database has it. */
export interface RecordedChange {
  readonly changeId: string;
  readonly kind: ExternalChangeKind;
  readonly bookingId: string;
  readonly providerId: string;
  readonly connectionId: string;
  readonly bookingVersion: number;
  readonly startTime: Date | null;
  readonly endTime: Date | null;
  readonly observedAt: Date;
}

export function toExternalChangeMessage(change: RecordedChange): ExternalChangeMessage {
  return {
    schema: 1,
    change_id: change.changeId,
    kind: change.kind,
    booking_id: change.bookingId,
    provider_id: change.providerId,
    connection_id: change.connectionId,
    booking_version: change.bookingVersion,
    ...(change.startTime === null ? {} : { start: change.startTime.toISOString() }),
    ...(change.endTime === null ? {} : { end: change.endTime.toISOString() }),
    observed_at: change.observedAt.toISOString(),
  };
}

/** The job's id is the change's id, so publishing again after a lost answer adds nothing while the job is kept. */
export async function publishExternalChanges(queues: QueueSystem, changes: readonly RecordedChange[]): Promise<void> {
  if (changes.length === 0) return;
  await queues.queue(QUEUE_NAMES.externalChanges).addBulk(
    changes.map((change) => ({
      name: change.kind,
      data: toExternalChangeMessage(change),
      opts: { jobId: change.changeId, attempts: 50, backoff: { type: 'exponential' as const, delay: 1_000 } },
    })),
  );
}
