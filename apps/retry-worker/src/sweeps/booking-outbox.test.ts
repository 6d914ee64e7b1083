import { randomUUID } from 'node:crypto';
import {
  type BookingEventMessage,
  InvalidBookingEventError,
  insertIntoOutbox,
  type QueueSystem,
} from '@bookiji/queues';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sweepBookingOutbox } from './booking-outbox.ts';

let database: TestDatabase;
let taken: string[];
let ringsLost: number;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  taken = [];
  ringsLost = 0;
  await database.sql`TRUNCATE booking_outbox, booking_intents, dead_letters CASCADE`;
});

const away = { queue: () => ({ addBulk: () => Promise.reject(new Error('Redis is away')) }) } as unknown as QueueSystem;
const sweep = () =>
  sweepBookingOutbox({
    db: database.db,
    queues: away,
    intervalMs: 1_000,
    onTaken: (outcome) => taken.push(outcome),
    onRingLost: () => {
      ringsLost += 1;
    },
  }).run();

function booked(over: Partial<BookingEventMessage> = {}): BookingEventMessage {
  return {
    schema: 1,
    event_id: randomUUID(),
    type: 'booking.created',
    booking_id: randomUUID(),
    provider_id: randomUUID(),
    version: 1,
    occurred_at: '2026-11-20T10:00:00Z',
    booking: { start: '2026-11-24T09:00:00Z', end: '2026-11-24T10:00:00Z', time_zone: 'UTC', title: 'Haircut' },
    ...over,
  } as BookingEventMessage;
}

const write = (event: BookingEventMessage) => database.sql.begin((tx) => insertIntoOutbox(tx, event));
const versions = async () =>
  (await database.sql`SELECT version::int FROM booking_intents ORDER BY version`).map((row) => row.version);

describe('[O-1] a booking event in the outbox', () => {
  test('is taken in although the queue is away, and is due in the connections of its provider', async () => {
    const connection = await insertConnection(database.sql);
    const event = booked({ provider_id: connection.providerId });
    await write(event);
    expect(await sweep()).toBe(1);
    expect(taken).toEqual(['accepted']);
    expect(ringsLost).toBe(1);
    const [effect] = await database.sql`SELECT connection_id, version::int, applied_version::int FROM booking_effects`;
    expect(effect).toEqual({ connection_id: connection.id, version: 1, applied_version: 0 });
    expect(await sweep()).toBe(0);
  });

  test('is there exactly when its booking is: a transaction that is rolled back leaves none', async () => {
    const rolledBack = database.sql.begin(async (tx) => {
      await insertIntoOutbox(tx, booked());
      throw new Error('the booking could not be stored');
    });
    await expect(rolledBack).rejects.toThrow('the booking could not be stored');
    expect(await sweep()).toBe(0);
  });

  test('may come late or again: the highest version stays', async () => {
    const newest = booked({ version: 3, type: 'booking.updated' });
    await write(newest);
    await write({ ...newest, event_id: randomUUID(), version: 2 });
    await sweep();
    await write(newest);
    expect(await sweep()).toBe(1);
    expect(taken).toEqual(['accepted', 'superseded', 'superseded']);
    expect(await versions()).toEqual([3]);
  });

  test('is taken in once by two sweeps at once', async () => {
    for (let count = 0; count < 20; count += 1) await write(booked());
    await Promise.all([sweep(), sweep(), sweep()]);
    expect(taken).toHaveLength(20);
    expect(await versions()).toHaveLength(20);
  });

  test('that was written past the helper and does not validate becomes a dead letter and blocks nobody', async () => {
    const eventId = randomUUID();
    await database.sql`
      INSERT INTO booking_outbox (event_id, booking_id, payload)
      VALUES (${eventId}, ${randomUUID()}, '{"schema": 2}'::text::jsonb)`;
    await write(booked());
    await sweep();
    expect(taken).toEqual(['dead_letter', 'accepted']);
    const [letter] = await database.sql`SELECT kind, subject, payload FROM dead_letters`;
    expect(letter).toEqual({ kind: 'booking_event', subject: `outbox:${eventId}`, payload: { schema: 2 } });
  });

  test('[R-2] that the database refuses for ever becomes a dead letter, and those behind it are taken in', async () => {
    await database.sql.unsafe(`ALTER TABLE booking_intents ADD CONSTRAINT no_sundays CHECK (version <> 13)`);
    await write(booked({ version: 13 }));
    await write(booked());
    expect(await sweep()).toBe(2);
    await database.sql.unsafe(`ALTER TABLE booking_intents DROP CONSTRAINT no_sundays`);
    expect(taken).toEqual(['dead_letter', 'accepted']);
    expect(await sweep()).toBe(0);
  });

  test('that does not validate is refused by the helper before anything is written', async () => {
    await expect(write(booked({ version: 0 }))).rejects.toBeInstanceOf(InvalidBookingEventError);
    expect(await sweep()).toBe(0);
  });
});
