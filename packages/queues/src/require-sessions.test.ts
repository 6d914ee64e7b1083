import { createTestDatabase, hasPgBouncer, startPgBouncer, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { requireSessions } from './require-sessions.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('[R-2] queues may live in a database that is reached directly', async () => {
  await expect(requireSessions(database.url)).resolves.toBeUndefined();
});

// Left out where no PgBouncer can be had; CI fails there instead (`scripts/test.ts`).
(hasPgBouncer() ? test : test.skip)('[R-2] and not behind a pooler in transaction mode, which is said', async () => {
  const pooler = await startPgBouncer(database.url, { poolSize: 2 });
  await expect(requireSessions(pooler.through(database.url), 300)).rejects.toThrow('set REDIS_URL');
  await pooler.stop();
});
