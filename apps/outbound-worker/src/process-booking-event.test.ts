import { randomUUID } from 'node:crypto';
import type { QueueSystem } from '@bookiji/queues';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { processBookingEvent } from './process-booking-event.ts';

let database: TestDatabase;
let ringsLost: number;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  ringsLost = 0;
  await database.sql`TRUNCATE booking_intents, dead_letters CASCADE`;
});

const away = { queue: () => ({ addBulk: () => Promise.reject(new Error('Redis is away')) }) } as unknown as QueueSystem;
const take = (data: unknown, id = 'a job') =>
  processBookingEvent(
    {
      db: database.db,
      queues: away,
      onRingLost: () => {
        ringsLost += 1;
      },
    },
    { id, data },
  );
const letters = () => database.sql`SELECT kind, reason, subject, payload FROM dead_letters`;

function event(over: Record<string, unknown> = {}) {
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
  };
}

describe('[O-1] a booking event from the queue', () => {
  test('is accepted although its ring is lost, and is due in the connections of its provider', async () => {
    const connection = await insertConnection(database.sql);
    const result = await take(event({ provider_id: connection.providerId }));
    expect(result).toMatchObject({ outcome: 'accepted', connectionCount: 1 });
    expect(ringsLost).toBe(1);
    expect(await database.sql`SELECT FROM booking_effects WHERE connection_id = ${connection.id}`).toHaveLength(1);
  });

  test('[O-3] twice or older is superseded', async () => {
    const newest = event({ version: 2 });
    await take(newest);
    expect(await take(newest)).toMatchObject({ outcome: 'superseded' });
    expect(await take({ ...newest, event_id: randomUUID(), version: 1 })).toMatchObject({ outcome: 'superseded' });
  });

  test('[O-3] for another provider than its booking was made for is a dead letter, and changes nothing', async () => {
    const first = event();
    await take(first);
    const strange = { ...first, version: 2, provider_id: randomUUID() };
    expect(await take(strange)).toMatchObject({
      outcome: 'dead_letter',
      reason: expect.stringContaining('provider_id'),
    });
    expect(await letters()).toMatchObject([{ kind: 'booking_event', payload: { version: 2 } }]);
    const [held] = await database.sql`SELECT version::int, provider_id FROM booking_intents`;
    expect(held).toEqual({ version: 1, provider_id: first.provider_id });
  });

  test.each([
    ['no object', 'gibberish'],
    [
      'NUL and half a surrogate pair in names and values',
      event({ 'a\u0000b': ['\ud800'], booking: { title: '\u0000' } }),
    ],
    ['nothing at all', undefined],
  ])('that is %s becomes a dead letter, once, and the queue goes on', async (_, data) => {
    expect(await take(data)).toMatchObject({ outcome: 'dead_letter' });
    expect(await take(data)).toMatchObject({ outcome: 'dead_letter' });
    const [letter, ...more] = await letters();
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ kind: 'booking_event', subject: expect.stringMatching(/^job:a job:[0-9a-f]{16}$/) });
  });

  test('keeps what it buried before when a queue that lost its counter gives the id out again', async () => {
    const [before, after] = [event({ version: 'three' }), event({ version: 'four' })];
    for (const sent of [before, after]) await take(sent, '1');
    const kept = (await letters()).map(({ payload }) => payload.event_id);
    expect(kept.sort()).toEqual([before.event_id, after.event_id].sort());
  });

  test('keeps in its dead letter all that is needed to understand and replay it', async () => {
    const sent = event({ version: 'three' });
    await take(sent);
    expect(await letters()).toEqual([
      expect.objectContaining({ reason: expect.stringMatching(/^version: /), payload: sent }),
    ]);
  });

  test('[R-2] that the database refuses for ever becomes a dead letter; one that meets no database is tried again', async () => {
    await database.sql.unsafe(`ALTER TABLE booking_intents ADD CONSTRAINT no_thirteen CHECK (version <> 13)`);
    expect(await take(event({ version: 13 }))).toMatchObject({ outcome: 'dead_letter' });
    await database.sql.unsafe(`ALTER TABLE booking_intents DROP CONSTRAINT no_thirteen`);
    await database.sql.unsafe(`ALTER TABLE booking_intents RENAME TO booking_intents_away`);
    await expect(take(event())).rejects.toThrow();
    await database.sql.unsafe(`ALTER TABLE booking_intents_away RENAME TO booking_intents`);
    expect(await letters()).toHaveLength(1);
  });
});
