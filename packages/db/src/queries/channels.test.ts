import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Allowlists } from './allowlists.ts';
import { findConnectionsToWatch } from './channels.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const settings = { renewBeforeSeconds: 86_400, silentAfterSeconds: 900, secretMark: 'newest' };

test('[F-2] the channel sweep passes over what is switched off', async () => {
  const { sql, db } = database;
  const paused = await insertConnection(sql);
  const outlook = await insertConnection(sql, { calendarProvider: 'microsoft' });
  const watched = await insertConnection(sql);
  const everybody: Allowlists = { providerIds: null, connectionIds: null };
  const find = async (allow: Partial<Allowlists>, limit = 100) =>
    (await findConnectionsToWatch(db, { ...everybody, ...allow }, settings, limit)).sort();
  const all = [paused.id, outlook.id, watched.id].sort();
  expect(await find({})).toEqual(all);
  expect(await find({ connectionIdsOff: [paused.id] })).toEqual([outlook.id, watched.id].sort());
  expect(await find({ calendarProvidersOff: ['microsoft'] })).toEqual([paused.id, watched.id].sort());
  // What is passed over takes no place from the others.
  expect(await find({ connectionIdsOff: [paused.id], calendarProvidersOff: ['microsoft'] }, 1)).toEqual([watched.id]);
  expect(await find({ connectionIds: [watched.id], providerIds: [watched.providerId] })).toEqual([watched.id]);
  expect(await find({ providerIds: [] })).toEqual([]);
});
