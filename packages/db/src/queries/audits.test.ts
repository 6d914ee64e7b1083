import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Allowlists } from './allowlists.ts';
import { countMismatches, recordAudit, takeDueAudits } from './audits.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => database.sql`TRUNCATE external_calendar_connections CASCADE`);

/** A connection of which two audits found the same, and which is due for the next. */
async function withMismatch(columns: Record<string, string | boolean> = {}) {
  const connection = await insertConnection(database.sql, { columns });
  const mismatches = [{ kind: 'missing_event', subject: randomUUID() }];
  await recordAudit(database.db, { connectionId: connection.id, suspects: [], mismatches, nextLookSeconds: 0 });
  return connection;
}

const OPEN: Allowlists = { providerIds: null, connectionIds: null };
const counted = async (allow?: Allowlists) => (await countMismatches(database.db, allow)).get('missing_event') ?? 0;
const audited = (allow = OPEN) => takeDueAudits(database.db, allow, { intervalSeconds: 86_400, limit: 10 });

test('[B-1] a mismatch counts as long as its connection is audited', async () => {
  const { id, providerId } = await withMismatch();
  expect(await counted()).toBe(1);
  expect(await counted({ ...OPEN, providerIds: [providerId] })).toBe(1);
  expect(await audited()).toEqual([id]);
});

test.each<[string, Record<string, string | boolean>]>([
  ['waits for its owner to connect again', { status: 'reauth_required' }],
  ['was disabled', { status: 'disabled' }],
  ['is being disconnected', { sync_enabled: false }],
])('[B-1] a mismatch of a connection that %s pages nobody: no audit would ever end it', async (_, columns) => {
  await withMismatch(columns);
  expect(await audited()).toEqual([]);
  expect(await counted()).toBe(0);
});

test('[F-2] neither does a mismatch of a connection that is on no list or was stopped by operators', async () => {
  const { id } = await withMismatch();
  for (const closed of [
    { providerIds: [randomUUID()] },
    { connectionIds: [randomUUID()] },
    { calendarProvidersOff: ['google'] },
    { connectionIdsOff: [id] },
  ]) {
    expect(await audited({ ...OPEN, ...closed })).toEqual([]);
    expect(await counted({ ...OPEN, ...closed })).toBe(0);
  }
});
