import { createTestDatabase, type Relay, startRelay, type TestDatabase } from '@bookiji/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
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

describe('a line that breaks', () => {
  let relay: Relay;
  let handle: DatabaseHandle;
  beforeEach(async () => {
    const url = new URL(database.url);
    relay = await startRelay(Number(url.port));
    url.port = String(relay.port);
    handle = openDatabase(url.href, { applicationName: 'test', max: 3, answerTimeoutMs: 2_000 });
  });
  afterEach(async () => {
    await handle.close();
    await relay.close();
  });
  const openThree = () => Promise.all([0.02, 0.02, 0.02].map((seconds) => handle.sql`SELECT pg_sleep(${seconds})`));

  test('[R-2] without a word fails what waits for it, and the next statement has a new one', async () => {
    await openThree();
    relay.freezeOpen();
    const asked = [0, 1, 2].map((at) => handle.sql`SELECT ${at}::int AS at`);
    for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected');
    const [row] = await handle.sql`SELECT 7 AS at`;
    expect(row?.at).toBe(7);
  });

  test('[R-2] takes its transaction along: what that says later reaches nobody else’s session', async () => {
    const one = openDatabase(database.url, { applicationName: 'test', max: 1 });
    const { promise: isServed, resolve: serve } = Promise.withResolvers<void>();
    let late: Promise<string> | undefined;
    const said = one.sql.begin(async (tx) => {
      const [self] = await tx`SELECT pg_backend_pid() AS pid`;
      await other.sql`SELECT pg_terminate_backend(${self?.pid})`;
      late = isServed
        .then(() => tx`CREATE TABLE said_too_late ()`)
        .then(
          () => 'said',
          () => 'refused',
        );
      await late;
    });
    await expect(said).rejects.toThrow();
    await one.sql`SELECT 1`;
    serve();
    expect(await late).toBe('refused');
    await one.close();
  });
});

describe('a transaction that stands still', () => {
  test('[R-2] is ended by the server, so that a frozen process does not keep its row locks', async () => {
    const [row] = await database.sql`SHOW idle_in_transaction_session_timeout`;
    expect(row?.idle_in_transaction_session_timeout).toBe('5s');
  });
});
