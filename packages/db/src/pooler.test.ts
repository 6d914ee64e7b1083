/** The database behind PgBouncer in transaction mode: two statements of one client may meet two servers. */
import { randomUUID } from 'node:crypto';
import {
  createTestDatabase,
  hasPgBouncer,
  insertConnection,
  type PgBouncerOptions,
  startPgBouncer,
  type TestDatabase,
} from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DatabaseHandle, openDatabase, requireSessionLimits } from './client.ts';
import { readCredentials } from './queries/credentials.ts';
import { takeSweepTurn } from './queries/sweep-turns.ts';
import { claimSync } from './queries/sync-leases.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** A pool through a pooler of its own for as long as `work` takes. */
async function behindPooler(options: PgBouncerOptions, work: (handle: DatabaseHandle) => Promise<void>): Promise<void> {
  const pooler = await startPgBouncer(database.url, options);
  const handle = openDatabase(pooler.through(database.url), { applicationName: 'test', max: 12 });
  try {
    await work(handle);
  } finally {
    await handle.close();
    await pooler.stop();
  }
}

const readPrepared = async ({ sql }: DatabaseHandle) =>
  (await sql`SELECT statement FROM pg_prepared_statements`).map(({ statement }) => String(statement));

test('without a pooler hot statements are prepared by name, and no others', async () => {
  const handle = openDatabase(database.url, { applicationName: 'test', max: 1 });
  try {
    expect(await handle.prepareStatements()).toBe(true);
    await readCredentials(handle.db, randomUUID());
    await readCredentials(handle.db, randomUUID());
    await takeSweepTurn(handle.db, { name: 'unpooled', owner: 'me', intervalMs: 1 });
    const named = (await readPrepared(handle)).filter((statement) => !statement.includes('pg_prepared_statements'));
    expect(named).toEqual([expect.stringContaining('access_token_sealed')]);
  } finally {
    await handle.close();
  }
});

// Left out where no PgBouncer can be had; CI fails there instead (`scripts/test.ts`).
(hasPgBouncer() ? describe : describe.skip)('behind PgBouncer in transaction mode', () => {
  test('[R-2] of twelve clients on three connections one gets the lease, and one the turn to sweep', async () => {
    const { id: connectionId } = await insertConnection(database.sql);
    await behindPooler({ poolSize: 3 }, async (handle) => {
      await requireSessionLimits(handle.db);
      const owners = Array.from({ length: 12 }, (_, at) => `owner ${at}`);
      const claims = await Promise.all(
        owners.map((owner) => claimSync(handle.db, { connectionId, owner, leaseMs: 5_000 })),
      );
      expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
      const turns = await Promise.all(
        owners.map((owner) => takeSweepTurn(handle.db, { name: 'pooled', owner, intervalMs: 60_000 })),
      );
      expect(turns.filter(Boolean)).toHaveLength(1);
      const servers = await Promise.all(owners.map(() => handle.sql`SELECT pg_backend_pid() AS pid, pg_sleep(0.01)`));
      expect(new Set(servers.map(([row]) => row?.pid)).size).toBeLessThanOrEqual(3);
    });
  });

  test('[R-2] hot statements are not prepared by name, since the next one may meet another server', async () => {
    const { id: connectionId } = await insertConnection(database.sql);
    await behindPooler({ poolSize: 3 }, async (handle) => {
      expect(await handle.prepareStatements()).toBe(false);
      const reads = Array.from({ length: 30 }, () => readCredentials(handle.db, connectionId));
      expect(await Promise.all(reads)).toHaveLength(30);
      expect(await readPrepared(handle)).toEqual([]);
    });
  });

  test('[R-2] the transaction of a process that stands still is ended, by the limits that the pooler sets', async () => {
    const { id } = await insertConnection(database.sql);
    await behindPooler({ connectQuery: 'SET idle_in_transaction_session_timeout = 100' }, async (handle) => {
      const still = handle.sql.begin(async (tx) => {
        await tx`SELECT FROM external_calendar_connections WHERE id = ${id} FOR UPDATE`;
        await database.sql`UPDATE external_calendar_connections SET requested = requested WHERE id = ${id}`;
        return 'the row was free although its holder had not ended';
      });
      // The server ended the holder, so the other one above could write; the holder hears of it when it goes on.
      await expect(still).rejects.toMatchObject({
        code: expect.stringMatching(/^(25P03|08P01|CONNECTION_|ECONNRESET)/),
      });
    });
  });

  test('[R-2] a pooler that sets no limits is found out', async () => {
    await behindPooler({ connectQuery: '' }, async (handle) => {
      await expect(requireSessionLimits(handle.db)).rejects.toThrow(
        'must set idle_in_transaction_session_timeout and statement_timeout on its sessions',
      );
    });
    await requireSessionLimits(database.db);
  });
});
