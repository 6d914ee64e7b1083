import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { listConnectionsOf } from './connections.ts';
import { listUnreadableItems, replaceUnreadableItems } from './unreadable-items.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('[I-5] what cannot be read now takes the place of what could not before, and is seen at its connection alone', async () => {
  const { id, providerId } = await insertConnection(database.sql);
  const other = await insertConnection(database.sql);
  const odd = { eventId: 'odd', seriesId: null, reason: 'no_end' };
  const nameless = { eventId: null, seriesId: null, reason: 'no_id' };
  await replaceUnreadableItems(database.db, other.id, [odd]);
  await replaceUnreadableItems(database.db, id, [odd, nameless, nameless]);
  expect(await listUnreadableItems(database.db, id)).toEqual(expect.arrayContaining([odd, nameless]));
  const firstSeen = () => database.sql`
    SELECT first_seen_at FROM unreadable_items WHERE connection_id = ${id} AND external_event_id = 'odd'`;
  const before = await firstSeen();
  await replaceUnreadableItems(database.db, id, [{ ...odd, reason: 'no_start' }]);
  expect(await listUnreadableItems(database.db, id)).toEqual([{ ...odd, reason: 'no_start' }]);
  expect(await firstSeen()).toEqual(before);
  expect(await listConnectionsOf(database.db, providerId)).toMatchObject([{ id, hasDoubts: true }]);
  await replaceUnreadableItems(database.db, id, []);
  expect(await listConnectionsOf(database.db, providerId)).toMatchObject([{ id, hasDoubts: false }]);
  expect(await listUnreadableItems(database.db, other.id)).toEqual([odd]);
});

test('[I-5] a whole calendar that nobody can read is on record as well', async () => {
  const { id } = await insertConnection(database.sql);
  const all = Array.from({ length: 20_000 }, (_, at) => ({ eventId: `e${at}`, seriesId: null, reason: 'no_end' }));
  await replaceUnreadableItems(database.db, id, all);
  await replaceUnreadableItems(database.db, id, all.slice(1));
  expect(await listUnreadableItems(database.db, id)).toHaveLength(19_999);
});
