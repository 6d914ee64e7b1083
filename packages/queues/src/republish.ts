import type { BookingEventMessage } from './booking-events.ts';

export interface RepublishOptions {
  /** Handed over together; 500 when not said. */
  readonly batchSize?: number;
  /** Told after each batch how many have been handed over so far. */
  readonly onProgress?: (count: number) => void;
}

/**
 * Says everything again: for the first start, after Redis lost its jobs, after a restored backup. Each event carries its
 * booking's present version, so what is known already changes nothing, and no calendar is written for it.
 *
 * @param events the present state of every booking, one event each, in any order.
 * @param publish the way they go: queue, outbox or HTTP. What it throws ends the run; run it again from the start.
 * @returns how many events were handed over.
 */
export async function republishBookings(
  events: AsyncIterable<BookingEventMessage> | Iterable<BookingEventMessage>,
  publish: (batch: readonly BookingEventMessage[]) => Promise<void>,
  options: RepublishOptions = {},
): Promise<number> {
  const { batchSize = 500, onProgress } = options;
  let count = 0;
  let batch: BookingEventMessage[] = [];
  const handOver = async () => {
    if (batch.length === 0) return;
    await publish(batch);
    count += batch.length;
    batch = [];
    onProgress?.(count);
  };
  for await (const event of events) {
    batch.push(event);
    if (batch.length >= batchSize) await handOver();
  }
  await handOver();
  return count;
}
