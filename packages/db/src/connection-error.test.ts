import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import postgres from 'postgres';

let database: TestDatabase;
let sql: postgres.Sql;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(() => sql.end({ timeout: 0 }));
afterAll(() => database.drop());

/** A pool of one connection, and the sockets that it opened. */
function openOne(): Socket[] {
  const sockets: Socket[] = [];
  const { hostname, port } = new URL(database.url);
  const open = async () => {
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    sockets.push(socket);
    return socket;
  };
  // The driver's types do not know this option of its own.
  sql = postgres(database.url, { max: 1, backoff: () => 0.01, socket: open } as postgres.Options<
    Record<string, never>
  >);
  return sockets;
}

/** Between a socket's error and its end other work of the process goes on, and may ask. */
function askWhenBroken(socket: Socket | undefined, ask: () => PromiseLike<unknown>): Promise<string> {
  return new Promise((resolve) => {
    socket?.once('error', () =>
      queueMicrotask(() => {
        void ask().then(
          () => resolve('answered'),
          () => resolve('failed'),
        );
      }),
    );
    socket?.destroy(new Error('reset by the other side'));
    setTimeout(() => resolve('neither'), 20_000).unref();
  });
}

describe('a query that meets a connection whose end is not yet known', () => {
  const sleep = (seconds: number) => sql`SELECT pg_sleep(${seconds})`;
  test.each([
    ['an idle one', () => undefined],
    ['one with a query under way', () => sql`SELECT pg_sleep(5)`],
    ['one with a prepared query under way, behind which others line up', () => sleep(5)],
  ])('[R-2] fails or is answered, and so is the next: %s', async (_, keepBusy) => {
    const sockets = openOne();
    await sleep(0);
    keepBusy()?.catch(() => undefined);
    await new Promise(setImmediate);
    expect(await askWhenBroken(sockets[0], () => sql`SELECT 2`)).not.toBe('neither');
    expect(await sql`SELECT 3 AS three`).toEqual([{ three: 3 }]);
    expect(await sql`SELECT 4 AS four`).toEqual([{ four: 4 }]);
  });
});
