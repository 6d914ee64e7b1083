/** What the triggers of `migrations/0020_events_of_connections.sql` promise, which was a foreign key's before. */
import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../client.ts';
import { applyIncrement } from './apply-round.ts';
import type { IntervalOwner } from './busy-intervals.ts';
import { eraseConnection } from './connections.ts';

const REFUSED = { cause: { code: '23503' } };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function connect(): Promise<IntervalOwner> {
  const { id, providerId, calendarProvider } = await insertConnection(database.sql);
  return { connectionId: id, providerId, calendarProvider };
}

const put = (tx: Database, owner: IntervalOwner, ...eventIds: string[]) =>
  applyIncrement(tx, owner, 1, { puts: eventIds.map(interval), dropIds: [], resetSeriesIds: [] }, false);

const interval = (eventId: string) => ({
  eventId,
  seriesId: null,
  icalUid: null,
  startAt: new Date(Date.UTC(2026, 10, 24, 9)),
  endAt: new Date(Date.UTC(2026, 10, 24, 10)),
  checksum: 'x',
});

async function countOf({ connectionId }: IntervalOwner): Promise<number> {
  const [row] = await database.sql`
    SELECT count(*)::int AS n FROM external_calendar_events WHERE connection_id = ${connectionId}`;
  return row?.n;
}

async function someoneWaits(): Promise<void> {
  for (;;) {
    const [row] = await database.sql`
      SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    if (row?.n > 0) return;
  }
}

test('[M-1] no event is stored of a connection that does not exist, be it one of many', async () => {
  const owner = await connect();
  const nobody = { ...owner, connectionId: randomUUID() };
  await expect(put(database.db, nobody, 'a', 'b')).rejects.toMatchObject(REFUSED);
  await expect(
    database.sql`
      INSERT INTO external_calendar_events (connection_id, provider_id, calendar_provider, external_event_id, start_time,
                                            end_time, is_busy, checksum)
      SELECT id, ${owner.providerId}, 'google', id::text, now(), now() + interval '1 hour', true, 'x'
        FROM unnest(${[owner.connectionId, nobody.connectionId]}::uuid[]) AS id`,
  ).rejects.toMatchObject(REFUSED.cause);
  await put(database.db, owner, 'c');
  // The later connection of the same account takes an event over.
  await expect(put(database.db, nobody, 'c')).rejects.toMatchObject(REFUSED);
  expect([await countOf(owner), await countOf(nobody)]).toEqual([1, 0]);
});

test('[M-1] a connection takes its events along, and nobody else’s', async () => {
  const [gone, other] = [await connect(), await connect()];
  await put(database.db, gone, 'a', 'b');
  await put(database.db, other, 'c');
  await eraseConnection(database.db, gone.connectionId);
  expect([await countOf(gone), await countOf(other)]).toEqual([0, 1]);
});

test('[M-1] a connection that is deleted while a page of it is stored takes that page along', async () => {
  const owner = await connect();
  let erased: Promise<boolean> | undefined;
  await database.db.transaction(async (tx) => {
    await put(tx, owner, 'a', 'b');
    erased = eraseConnection(database.db, owner.connectionId);
    await someoneWaits();
  });
  expect(await erased).toBe(true);
  expect(await countOf(owner)).toBe(0);
});

test('[M-1] a page that comes while its connection is being deleted waits, and is refused', async () => {
  const owner = await connect();
  let stored: Promise<unknown> | undefined;
  await database.db.transaction(async (tx) => {
    await eraseConnection(tx, owner.connectionId);
    stored = expect(put(database.db, owner, 'a')).rejects.toMatchObject(REFUSED);
    await someoneWaits();
  });
  await stored;
  expect(await countOf(owner)).toBe(0);
});

test('a connection keeps its id, and a table of them that is emptied empties the other', async () => {
  const owner = await connect();
  await put(database.db, owner, 'a');
  await expect(
    database.sql`UPDATE external_calendar_connections SET id = gen_random_uuid() WHERE id = ${owner.connectionId}`,
  ).rejects.toMatchObject(REFUSED.cause);
  await database.sql`TRUNCATE external_calendar_connections CASCADE`;
  expect(await countOf(owner)).toBe(0);
});
