import { randomUUID } from 'node:crypto';
import { type BuiltConnection, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { requestFullSync } from './audits.ts';
import type { BusyInterval, IntervalChanges } from './busy-intervals.ts';
import { stagePage } from './staged-pages.ts';
import { storeIncrement } from './store-increment.ts';
import { claimSync, LeaseLostError, type SyncClaim } from './sync-leases.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const at = (hour: number) => new Date(Date.UTC(2026, 10, 24, hour));
const busy = (eventId: string, from = 9, seriesId: string | null = null): BusyInterval => ({
  eventId,
  seriesId,
  icalUid: null,
  startAt: at(from),
  endAt: at(from + 1),
  checksum: `${from}`,
});

async function claimed(connection: BuiltConnection): Promise<SyncClaim> {
  await database.sql`UPDATE external_calendar_connections SET requested = applied + 1 WHERE id = ${connection.id}`;
  const claim = await claimSync(database.db, { connectionId: connection.id, owner: 'me', leaseMs: 20_000 });
  if (claim === null) throw new Error('nothing to claim');
  return claim;
}

function store(connection: BuiltConnection, claim: SyncClaim, page: Partial<IntervalChanges>) {
  const { token, noted, claimedAt } = claim;
  const { id: connectionId, providerId, calendarProvider } = connection;
  return storeIncrement(database.db, {
    ...{ token, noted, claimedAt },
    owner: { connectionId, providerId, calendarProvider },
    page: { puts: [], dropIds: [], resetSeriesIds: [], ...page },
    cursor: 'next',
    window: { startAt: at(0), endAt: at(23) },
    reconcileAfterSeconds: 300,
    requestedBy: 'webhook',
    unreadableCount: 2,
  });
}

const rowsOf = async ({ id }: BuiltConnection) =>
  (
    await database.sql`
      SELECT external_event_id AS id, start_time AS start FROM external_calendar_events
       WHERE connection_id = ${id} AND booking_id IS NULL ORDER BY 1`
  ).map((row) => `${row.id}@${new Date(row.start as string).getUTCHours()}`);

const connectionOf = async ({ id }: BuiltConnection) =>
  (await database.sql`SELECT * FROM external_calendar_connections WHERE id = ${id}`)[0];

test('[I-2] an increment empties series, drops, moves and puts, and writes nothing for what is unchanged', async () => {
  const connection = await insertConnection(database.sql);
  const first = [busy('a'), busy('b'), busy('c'), busy('s1', 9, 's'), busy('s2', 9, 's')];
  await store(connection, await claimed(connection), { puts: first });
  const stored = await store(connection, await claimed(connection), {
    puts: [busy('a'), busy('b', 12), busy('s2', 9, 's')],
    dropIds: ['c', 'unknown'],
    resetSeriesIds: ['s'],
  });
  expect(await rowsOf(connection)).toEqual(['a@9', 'b@12', 's2@9']);
  expect(stored).toMatchObject({ counts: { putCount: 1, droppedCount: 2 }, lookAgain: false });
});

test('[I-5] cursor, counters, lease and the run change with it', async () => {
  const connection = await insertConnection(database.sql, { columns: { sync_cursor: 'old' } });
  const claim = await claimed(connection);
  const { recordedAt } = await store(connection, claim, { puts: [busy('a')] });
  expect(await connectionOf(connection)).toMatchObject({
    applied: String(claim.noted),
    sync_needed: false,
    sync_cursor: 'next',
    lease_owner: null,
    lease_until: null,
    notified_at: null,
  });
  expect(recordedAt.getTime()).toBeGreaterThanOrEqual(claim.claimedAt.getTime());
  const runs = await database.sql`SELECT mode, outcome, pages, put_count, dropped_count, unreadable_count, requested_by
      FROM sync_runs WHERE connection_id = ${connection.id}`;
  expect([...runs]).toEqual([
    {
      ...{ mode: 'incremental', outcome: 'synced', pages: 1, requested_by: 'webhook' },
      ...{ put_count: 1, dropped_count: 0, unreadable_count: 2 },
    },
  ]);
});

test('what was requested meanwhile asks for another look, and its lag counts from the claim', async () => {
  const connection = await insertConnection(database.sql);
  const claim = await claimed(connection);
  await database.sql`
    UPDATE external_calendar_connections SET requested = requested + 1, notified_at = now() WHERE id = ${connection.id}`;
  expect(await store(connection, claim, {})).toMatchObject({ lookAgain: true });
  const after = await connectionOf(connection);
  expect(after?.sync_needed).toBe(true);
  expect(new Date(after?.notified_at as string)).toEqual(claim.claimedAt);
});

test('[R-2] a worker whose lease was taken over stores nothing at all', async () => {
  const connection = await insertConnection(database.sql);
  await store(connection, await claimed(connection), { puts: [busy('a', 9, 's')] });
  const late = await claimed(connection);
  await database.sql`UPDATE external_calendar_connections SET lease_token = lease_token + 1 WHERE id = ${connection.id}`;
  const before = await connectionOf(connection);
  const changes = [{ puts: [busy('b')] }, { dropIds: ['a'] }, { resetSeriesIds: ['s'] }];
  for (const page of changes) {
    await expect(store(connection, late, page)).rejects.toThrow(LeaseLostError);
  }
  expect(await rowsOf(connection)).toEqual(['a@9']);
  expect(await connectionOf(connection)).toEqual(before);
  const [runs] = await database.sql`SELECT count(*) AS n FROM sync_runs WHERE connection_id = ${connection.id}`;
  expect(runs?.n).toBe('1');
});

test("a booking's mapping is left alone, even under the same event id and series", async () => {
  const connection = await insertConnection(database.sql);
  const { id, providerId } = connection;
  for (const eventId of ['put', 'gone']) {
    await database.sql`
      INSERT INTO external_calendar_events
             (connection_id, provider_id, calendar_provider, external_event_id, series_id, start_time, end_time, is_busy,
              checksum, booking_id)
      VALUES (${id}, ${providerId}, 'google', ${eventId}, 's', ${at(9).toISOString()}, ${at(10).toISOString()}, true,
              'x', ${randomUUID()})`;
  }
  const page = { puts: [busy('put', 15)], dropIds: ['gone'], resetSeriesIds: ['s'] };
  expect(await store(connection, await claimed(connection), page)).toMatchObject({
    counts: { putCount: 0, droppedCount: 0 },
  });
  const rows = await database.sql`SELECT checksum FROM external_calendar_events WHERE connection_id = ${id}`;
  expect(rows.map(({ checksum }) => checksum)).toEqual(['x', 'x']);
});

test('a claim says whether pages lie in staging, and brings the sealed tokens along', async () => {
  const connection = await insertConnection(database.sql);
  await database.sql`
    UPDATE external_calendar_connections
       SET access_token_sealed = 'sealed', access_token_expires_at = now() + interval '1 hour' WHERE id = ${connection.id}`;
  const claim = await claimed(connection);
  expect(claim).toMatchObject({
    hasStagedPages: false,
    credentials: { status: 'active', accessTokenSealed: 'sealed' },
  });
  expect(claim.credentials.expiresInSeconds).toBeCloseTo(3_600, 0);
  expect(Object.keys(claim.connection)).not.toContain('accessTokenSealed');
  await stagePage(database.db, connection.id, claim.token, { puts: [busy('a')], dropIds: [], resetSeriesIds: [] });
  await store(connection, claim, {});
  expect(await claimed(connection)).toMatchObject({ hasStagedPages: true });
});

test('[I-1] a cursor that was dropped during an increment stays dropped, so that everything is read afresh', async () => {
  const connection = await insertConnection(database.sql, { columns: { sync_cursor: 'old' } });
  const claim = await claimed(connection);
  await requestFullSync(database.db, connection.id);
  expect(await store(connection, claim, { puts: [busy('a')] })).toMatchObject({ lookAgain: true });
  expect(await connectionOf(connection)).toMatchObject({ sync_cursor: null, sync_needed: true });
  expect(await rowsOf(connection)).toEqual(['a@9']);
});
