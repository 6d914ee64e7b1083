import { randomUUID } from 'node:crypto';
import { openQueues, QUEUE_NAMES, type QueueSystem } from '@bookiji/queues';
import { createTestDatabase, type RedisServer, startRedis, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { drainBookingEvents } from './drain-booking-events.ts';

let database: TestDatabase;
let redis: RedisServer;
let queues: QueueSystem;
beforeAll(async () => {
  database = await createTestDatabase();
  redis = (await startRedis()) as RedisServer;
  queues = openQueues({ kind: 'redis', url: redis.url, prefix: '{drain}' }, () => undefined);
});
afterAll(async () => {
  await queues?.close();
  await redis?.stop();
  await database?.drop();
});
beforeEach(async () => {
  await database.sql`TRUNCATE dead_letters`;
  await loseEverything();
});

/** Jobs, and the counter that ids of jobs come from. */
async function loseEverything(): Promise<void> {
  await queues.queue(QUEUE_NAMES.bookingEvents).obliterate({ force: true });
}

async function publish(eventId: string = randomUUID(), jobId?: string) {
  const options = jobId === undefined ? {} : { jobId };
  const job = await queues.queue(QUEUE_NAMES.bookingEvents).add('booking.created', { event_id: eventId }, options);
  return { jobId: job.id, eventId };
}

const kept = async () =>
  (await database.sql`SELECT payload ->> 'event_id' AS event_id FROM dead_letters ORDER BY created_at`).map(
    ({ event_id }) => event_id,
  );

test('[S-5] what was set aside stays when Redis forgets everything and gives its ids out again', async () => {
  const first = await publish();
  expect(await drainBookingEvents(database.db, queues)).toBe(1);
  await loseEverything();
  const second = await publish();
  expect(second.jobId).toBe(first.jobId);
  expect(await drainBookingEvents(database.db, queues)).toBe(1);
  expect(await kept()).toEqual([first.eventId, second.eventId]);
});

test('[S-5] a job that is there again after it was set aside is one letter', async () => {
  const { eventId } = await publish(randomUUID(), 'theirs');
  await drainBookingEvents(database.db, queues);
  await publish(eventId, 'theirs');
  await drainBookingEvents(database.db, queues);
  expect(await kept()).toEqual([eventId]);
});
