/** What owners did to bookings' events, for the booking service. One job per observed change. */
import { QUEUE_NAMES } from './queue-names.ts';
import type { QueueSystem } from './transport.ts';

export interface ExternalChangeMessage {
  readonly schema: 1;
  readonly change_id: string;
  readonly kind: 'moved' | 'deleted' | 'held';
  readonly booking_id: string;
  readonly provider_id: string;
  readonly connection_id: string;
  readonly booking_version: number;
  readonly start?: string;
  readonly end?: string;
  readonly observed_at: string;
}

/** The job's id is the change's id, so publishing again after a lost answer adds nothing while the job is kept. */
export async function publishExternalChanges(
  queues: QueueSystem,
  changes: readonly ExternalChangeMessage[],
): Promise<void> {
  if (changes.length === 0) return;
  await queues.queue(QUEUE_NAMES.externalChanges).addBulk(
    changes.map((change) => ({
      name: change.kind,
      data: change,
      opts: { jobId: change.change_id, attempts: 50, backoff: { type: 'exponential' as const, delay: 1_000 } },
    })),
  );
}
