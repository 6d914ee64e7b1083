/**
 * Doorbells: "look at this id". At most one active and one waiting per id; a ring during an active look is kept and
 * leads to another look (`keepLastIfActive`; a plain job id or simple deduplication would drop it). A look that failed and
 * waits, by and by for half a minute, makes way for a ring (`replace`), which would otherwise be lost in it. The payload
 * is only the id: what is to be done stands in PostgreSQL.
 */
import { z } from 'zod';
import { QUEUE_NAMES } from './queue-names.ts';
import type { QueueSystem } from './transport.ts';

export const inboundSyncJob = z.object({ connection_id: z.guid() });

export const outboundSyncJob = z.object({ booking_id: z.guid(), connection_id: z.guid() });
export type OutboundSyncJob = z.infer<typeof outboundSyncJob>;

export const retryJob = z.discriminatedUnion('task', [
  z.object({ task: z.literal('audit'), connection_id: z.guid() }),
  z.object({ task: z.literal('keep_channel'), connection_id: z.guid() }),
  z.object({ task: z.literal('disconnect'), connection_id: z.guid() }),
]);
export type RetryJob = z.infer<typeof retryJob>;

/** Failed looks (database away, bug) come again soon; the sweep is the safety net behind. */
const bell = (id: string) => ({
  deduplication: { id, keepLastIfActive: true, replace: true },
  removeOnComplete: true,
  attempts: 8,
  backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
});

/**
 * Everything that a stored wish asks to be rung, one queue after the other.
 *
 * @throws as {@link ringInboundSyncs}; what comes after the queue that failed is not rung.
 */
export async function ringAll(
  queues: QueueSystem,
  bells: {
    readonly inbound: readonly string[];
    readonly outbound: readonly OutboundSyncJob[];
    readonly retry: readonly RetryJob[];
  },
): Promise<void> {
  await ringInboundSyncs(queues, bells.inbound);
  await ringOutboundSyncs(queues, bells.outbound);
  await ringRetry(queues, bells.retry);
}

/**
 * Asks for a look at each of these connections.
 *
 * @throws the transport's own error (of BullMQ, ioredis or pg) when it is away or refuses; with Redis within about two
 *   seconds. Some may have been rung by then. A sweep finds the work, so callers count the failure and go on.
 */
export async function ringInboundSyncs(queues: QueueSystem, connectionIds: readonly string[]): Promise<void> {
  if (connectionIds.length === 0) return;
  await queues
    .queue(QUEUE_NAMES.inboundSync)
    .addBulk(connectionIds.map((id) => ({ name: 'sync', data: { connection_id: id }, opts: bell(id) })));
}

/** Asks for a look at each of these bookings in these calendars. @throws as {@link ringInboundSyncs}. */
export async function ringOutboundSyncs(queues: QueueSystem, effects: readonly OutboundSyncJob[]): Promise<void> {
  if (effects.length === 0) return;
  await queues.queue(QUEUE_NAMES.outboundSync).addBulk(
    effects.map(({ booking_id, connection_id }) => ({
      name: 'converge',
      data: { booking_id, connection_id },
      opts: bell(`${booking_id}.${connection_id}`),
    })),
  );
}

/** Asks for an audit, for channel upkeep or for a disconnect. @throws as {@link ringInboundSyncs}. */
export async function ringRetry(queues: QueueSystem, jobs: readonly RetryJob[]): Promise<void> {
  if (jobs.length === 0) return;
  await queues.queue(QUEUE_NAMES.retry).addBulk(
    jobs.map((job) => ({
      name: job.task,
      data: job,
      opts: bell(`${job.task}.${job.connection_id}`),
    })),
  );
}
