/** The booking service's other hand: booking events on their queue. */
import { randomUUID } from 'node:crypto';
import { type BookingEventMessage, openQueues, publishBookingEvents, type QueueSystem } from '@bookiji/queues';
import type { Environment } from '@bookiji/runtime';
import type { Slot } from './ingress-client.ts';

export type BookingEventType = BookingEventMessage['type'];

export interface BookingWish {
  readonly bookingId: string;
  readonly providerId: string;
  readonly version: number;
  readonly type: BookingEventType;
  readonly slot: Slot;
  readonly title?: string;
}

export function makeBookingEvent(wish: BookingWish): BookingEventMessage {
  const { bookingId, providerId, version, type, slot, title = 'Haircut (Bookiji)' } = wish;
  return {
    schema: 1,
    event_id: randomUUID(),
    type,
    booking_id: bookingId,
    provider_id: providerId,
    version,
    occurred_at: new Date().toISOString(),
    booking: { ...slot, time_zone: 'America/Toronto', title },
  };
}

export interface BookingDesk {
  readonly queues: QueueSystem;
  publish(...events: readonly BookingEventMessage[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens the fleet's own transport, as `REDIS_URL` or else `DATABASE_URL` name it. */
export function openBookingDesk(environment: Environment): BookingDesk {
  const { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl = '', QUEUE_PREFIX } = environment;
  const prefix = QUEUE_PREFIX || '{bookiji}';
  const queues = openQueues(
    redisUrl ? { kind: 'redis', url: redisUrl, prefix } : { kind: 'postgres', url: databaseUrl, prefix },
    // A lost connection shows itself in `publish`.
    () => undefined,
  );
  return { queues, publish: (...events) => publishBookingEvents(queues, events), close: () => queues.close() };
}
