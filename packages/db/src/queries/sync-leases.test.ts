import {
  type BuiltConnection,
  createTestDatabase,
  insertConnection,
  moveClock,
  type TestDatabase,
} from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../client.ts';
import { requestFullSync } from './audits.ts';
import { claimSync, extendSyncLease, LeaseLostError, type SyncClaim } from './sync-leases.ts';
import { findDueConnections, requestDueReconciles, requestSync } from './sync-requests.ts';
import { recordSyncFailure, recordSyncSuccess } from './sync-results.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const everybody = { providerIds: null, connectionIds: null };
const claim = (connection: BuiltConnection, owner = 'me', leaseMs = 20_000) =>
  claimSync(database.db, { connectionId: connection.id, owner, leaseMs });
const mustClaim = async (connection: BuiltConnection, owner?: string, leaseMs?: number): Promise<SyncClaim> => {
  const claimed = await claim(connection, owner, leaseMs);
  if (claimed === null) throw new Error('nothing was claimed');
  return claimed;
};
const success = (held: SyncClaim) => ({
  connectionId: held.connection.id,
  token: held.token,
  noted: held.noted,
  claimedAt: held.claimedAt,
  mode: 'full' as const,
  cursor: 'cursor',
  window: { startAt: new Date('2026-11-20T00:00:00Z'), endAt: new Date('2027-02-20T00:00:00Z') },
  reconcileAfterSeconds: 300,
});
const expireLease = (connection: BuiltConnection) =>
  database.sql`UPDATE external_calendar_connections SET lease_until = now() - interval '1 second' WHERE id = ${connection.id}`;
const read = async (connection: BuiltConnection) => {
  const [row] = await database.sql`SELECT * FROM external_calendar_connections WHERE id = ${connection.id}`;
  return row ?? {};
};

describe('the lease on a connection', () => {
  test('is given to one of many that ask at once', async () => {
    const connection = await insertConnection(database.sql);
    const claims = await Promise.all(Array.from({ length: 10 }, (_, n) => claim(connection, `worker-${n}`)));
    expect(claims.filter((one) => one !== null)).toHaveLength(1);
  });

  test('is given anew after its end, with a larger token, and the old holder can record nothing', async () => {
    const connection = await insertConnection(database.sql);
    const old = await mustClaim(connection, 'old');
    await expireLease(connection);
    const fresh = await mustClaim(connection, 'new');
    expect(fresh.token).toBeGreaterThan(old.token);
    await expect(recordSyncSuccess(database.db, success(old))).rejects.toThrow(LeaseLostError);
    await expect(
      extendSyncLease(database.db, { connectionId: connection.id, token: old.token, leaseMs: 1000 }),
    ).rejects.toThrow(LeaseLostError);
    const failure = { kind: 'transient', reason: 'late', at: new Date().toISOString() };
    const recorded = await recordSyncFailure(database.db, {
      connectionId: connection.id,
      token: old.token,
      error: failure,
      waitMs: 1,
      countsAsError: true,
    });
    expect(recorded).toBe(false);
    expect(await read(connection)).toMatchObject({ lease_owner: 'new', error_count: 0, sync_cursor: null });
  });

  test('[W-5] is kept by a renewal, but one that comes behind the record does not take it again', async () => {
    const connection = await insertConnection(database.sql);
    const held = await mustClaim(connection, 'me', 1_000);
    const lease = { connectionId: connection.id, token: held.token, leaseMs: 20_000 };
    await extendSyncLease(database.db, lease);
    const [left] = await database.sql`
      SELECT extract(epoch FROM lease_until - now())::int AS seconds FROM external_calendar_connections
       WHERE id = ${connection.id}`;
    expect(left?.seconds).toBeGreaterThan(15);
    await recordSyncSuccess(database.db, success(held));
    await extendSyncLease(database.db, lease);
    expect(await read(connection)).toMatchObject({ lease_until: null });
    await requestSync(database.db, [connection.id], 'webhook');
    expect(await claim(connection)).not.toBeNull();
  });

  test.each([
    ['nothing is requested', { requested: 1, applied: 1 }],
    ['its owner must reconnect', { status: 'reauth_required' }],
    ['it is switched off', { sync_enabled: false }],
    ['it is backing off', { backoff_until: '2100-01-01T00:00:00Z' }],
  ])('is not given while %s', async (_, columns) => {
    const connection = await insertConnection(database.sql, { columns });
    expect(await claim(connection)).toBeNull();
  });

  test('runs by the clock of the database: a process cannot take it early', async () => {
    const moved = await createTestDatabase();
    const connection = await insertConnection(moved.sql);
    await claimSync(moved.db, { connectionId: connection.id, owner: 'first', leaseMs: 20_000 });
    expect(await claimSync(moved.db, { connectionId: connection.id, owner: 'second', leaseMs: 20_000 })).toBeNull();
    await moveClock(moved.url, 21);
    const later = openDatabase(moved.url, { applicationName: 'later' });
    expect(await claimSync(later.db, { connectionId: connection.id, owner: 'second', leaseMs: 20_000 })).not.toBeNull();
    await later.close();
    await moved.drop();
  });
});

describe('recording', () => {
  test('[I-2] success applies what was noted, clears errors and gives the lease back', async () => {
    const connection = await insertConnection(database.sql, { columns: { error_count: 3 } });
    const { lookAgain } = await recordSyncSuccess(database.db, success(await mustClaim(connection)));
    expect(lookAgain).toBe(false);
    expect(await read(connection)).toMatchObject({
      sync_needed: false,
      error_count: 0,
      lease_until: null,
      sync_cursor: 'cursor',
    });
  });

  test('[W-5] a request that came during the sync makes another look due', async () => {
    const connection = await insertConnection(database.sql);
    const held = await mustClaim(connection);
    await requestSync(database.db, [connection.id], 'webhook');
    expect(await recordSyncSuccess(database.db, success(held))).toMatchObject({ lookAgain: true });
    expect(await read(connection)).toMatchObject({ sync_needed: true });
  });

  test('[I-5] failure counts, waits, says why, and the intent stays', async () => {
    const connection = await insertConnection(database.sql);
    const held = await mustClaim(connection);
    const error = { kind: 'transient', reason: 'http_503', at: '2026-11-21T00:00:00.000Z' };
    await recordSyncFailure(database.db, {
      connectionId: connection.id,
      token: held.token,
      error,
      waitMs: 300_000,
      countsAsError: true,
    });
    expect(await read(connection)).toMatchObject({
      error_count: 1,
      sync_needed: true,
      last_synced_at: null,
      lease_until: null,
    });
    expect(await claim(connection)).toBeNull();
    expect(await findDueConnections(database.db, everybody, 1000)).not.toContain(connection.id);
  });

  test('[I-4] a manual request does not wait for a backoff to end', async () => {
    const connection = await insertConnection(database.sql, { columns: { backoff_until: '2100-01-01T00:00:00Z' } });
    await requestSync(database.db, [connection.id], 'manual');
    expect(await claim(connection)).not.toBeNull();
  });

  test('[R-1] a manual request does not shorten the wait that a calendar provider asked for', async () => {
    const wait = { backoff_until: '2100-01-01T00:00:00Z', requested: 1, applied: 1 };
    const lastError = { kind: 'rate_limited', reason: 'quota', retry_after: true };
    const columns = { ...wait, last_error: JSON.stringify(lastError) };
    const connection = await insertConnection(database.sql, { columns });
    await requestSync(database.db, [connection.id], 'manual');
    expect(await claim(connection)).toBeNull();
    expect(await read(connection)).toMatchObject({ sync_needed: true, requested_by: 'manual' });
    await database.sql`
      UPDATE external_calendar_connections SET backoff_until = now() - interval '1 second' WHERE id = ${connection.id}`;
    expect(await claim(connection)).not.toBeNull();
  });

  test('[I-4] a manual request ends the wait after a limit of which the calendar provider did not say how long', async () => {
    const lastError = { kind: 'rate_limited', reason: 'rateLimitExceeded', status: 403 };
    const columns = { backoff_until: '2100-01-01T00:00:00Z', last_error: JSON.stringify(lastError) };
    const connection = await insertConnection(database.sql, { columns });
    await requestSync(database.db, [connection.id], 'manual');
    expect(await claim(connection)).not.toBeNull();
  });

  test.each(['incremental', 'full'] as const)(
    '[I-1] a cursor that was dropped while a round was under way stays dropped unless it was a full one (%s)',
    async (mode) => {
      const connection = await insertConnection(database.sql, { columns: { sync_cursor: 'old' } });
      const held = await mustClaim(connection);
      await requestFullSync(database.db, connection.id);
      expect(await recordSyncSuccess(database.db, { ...success(held), mode })).toMatchObject({ lookAgain: true });
      expect(await read(connection)).toMatchObject({ sync_cursor: mode === 'full' ? 'cursor' : null });
    },
  );
});

describe('sweeps', () => {
  test('[W-7] find a connection whose ring was lost, and not one that is held', async () => {
    const waiting = await insertConnection(database.sql);
    const held = await insertConnection(database.sql);
    await mustClaim(held);
    const due = await findDueConnections(database.db, everybody, 1000);
    expect(due).toContain(waiting.id);
    expect(due).not.toContain(held.id);
  });

  test('[F-2] leave alone what no list contains', async () => {
    const connection = await insertConnection(database.sql);
    const others = { providerIds: [crypto.randomUUID()], connectionIds: null };
    expect(await findDueConnections(database.db, others, 1000)).not.toContain(connection.id);
    const listed = { providerIds: [connection.providerId], connectionIds: [connection.id] };
    expect(await findDueConnections(database.db, listed, 1000)).toEqual([connection.id]);
  });

  test('[I-4] ask for a look at what was not looked at for its interval, once per interval', async () => {
    const connection = await insertConnection(database.sql, {
      columns: { requested: 1, applied: 1, reconcile_at: '2000-01-01T00:00:00Z' },
    });
    const only = { providerIds: [connection.providerId], connectionIds: null };
    expect(await requestDueReconciles(database.db, only, 300, 100)).toBe(1);
    expect(await requestDueReconciles(database.db, only, 300, 100)).toBe(0);
    expect(await read(connection)).toMatchObject({ sync_needed: true, requested_by: 'schedule' });
  });

  test('[O-1] ask for looks without standing in the way of a booking, which holds its connection by key', async () => {
    const connection = await insertConnection(database.sql, { columns: { reconcile_at: '2000-01-01T00:00:00Z' } });
    const only = { providerIds: [connection.providerId], connectionIds: null };
    await database.db.transaction(async (tx) => {
      expect(await requestDueReconciles(tx, only, 300, 100)).toBe(1);
      expect(
        await database.sql`
          SELECT id FROM external_calendar_connections WHERE id = ${connection.id} FOR KEY SHARE SKIP LOCKED`,
      ).toHaveLength(1);
    });
  });
});
