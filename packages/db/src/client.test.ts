import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DatabaseHandle, openDatabase } from './client.ts';

let database: TestDatabase;
let other: DatabaseHandle;
beforeAll(async () => {
  database = await createTestDatabase();
  other = openDatabase(database.url, { applicationName: 'test', max: 2 });
});
afterAll(async () => {
  await other.close();
  await database.drop();
});

describe('a connection that the server ends', () => {
  test('[R-2] fails the transaction that uses it, and nothing else: the process lives, and all others are served', async () => {
    const isCut = (error: { code?: string }) => /^(57P01|CONNECTION_)/.test(error.code ?? '');
    const cut = Array.from({ length: 20 }, () =>
      database.sql
        .begin(async (tx) => {
          const [self] = await tx`SELECT pg_backend_pid() AS pid`;
          await other.sql`SELECT pg_terminate_backend(${self?.pid})`;
          // The driver answers its failure with a rollback, for which there is no socket any more.
          await tx`SELECT pg_sleep(10)`;
        })
        .then(() => false, isCut),
    );
    expect(await Promise.all(cut)).toEqual(cut.map(() => true));
    const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => database.sql`SELECT ${at}::int AS at`));
    expect(answers.map(([row]) => row?.at)).toEqual(answers.map((_, at) => at));
  });
});

describe('a transaction that stands still', () => {
  test('[R-2] is ended by the server, so that a frozen process does not keep its row locks', async () => {
    const [row] = await database.sql`SHOW idle_in_transaction_session_timeout`;
    expect(row?.idle_in_transaction_session_timeout).toBe('5s');
  });
});
