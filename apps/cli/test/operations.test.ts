/** What operators do to a connection from the command line: the same as from the console, down to what is rung. */
import { randomUUID } from 'node:crypto';
import { openQueues, QUEUE_NAMES, type QueueSystem } from '@bookiji/queues';
import { createTestDatabase, insertChannel, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createCalsync } from './calsync-harness.ts';

let database: TestDatabase;
let queues: QueueSystem;
let calsync: ReturnType<typeof createCalsync>;
beforeAll(async () => {
  database = await createTestDatabase();
  const prefix = `{cli-${randomUUID().slice(0, 8)}}`;
  calsync = createCalsync({ DATABASE_URL: database.url, QUEUE_PREFIX: prefix });
  queues = openQueues({ kind: 'postgres', url: database.url, prefix, isPrepared: false }, () => undefined);
});
afterEach(async () => {
  for (const name of Object.values(QUEUE_NAMES)) await queues.queue(name).drain();
  await database.sql`TRUNCATE external_calendar_connections, audit_log CASCADE`;
});
afterAll(async () => {
  await queues.close();
  await database.drop();
});

const rung = async (name: string) => (await queues.queue(name).getJobs(['waiting'])).map(({ data }) => data as unknown);
const logged = () => database.sql`SELECT actor, action, subject, details FROM audit_log ORDER BY id`;

describe('[I-4] [R-1] sync', () => {
  test('also hastens the bookings that wait after errors, as the console does', async () => {
    const { id, providerId } = await insertConnection(database.sql);
    const bookingId = randomUUID();
    await database.sql`
      INSERT INTO booking_intents (booking_id, provider_id, version, state, event_id)
      VALUES (${bookingId}, ${providerId}, 1, 'cancelled', ${randomUUID()})`;
    await database.sql`
      INSERT INTO booking_effects (booking_id, connection_id, version, next_attempt_at)
      VALUES (${bookingId}, ${id}, 1, now() + interval '1 hour')`;
    expect((await calsync('sync', id, '--reason', 'Google is back')).code).toBe(0);
    const [effect] = await database.sql`SELECT next_attempt_at <= now() AS due FROM booking_effects`;
    expect(effect).toEqual({ due: true });
    expect(await rung(QUEUE_NAMES.inboundSync)).toEqual([{ connection_id: id }]);
    expect(await rung(QUEUE_NAMES.outboundSync)).toEqual([{ booking_id: bookingId, connection_id: id }]);
    expect([...(await logged())]).toEqual([
      { actor: 'calsync:vera', action: 'sync_requested', subject: id, details: { reason: 'Google is back' } },
    ]);
  });
});

describe('[R-3] a connection’s end and its channel', () => {
  test('disconnecting rings for the worker that carries it out, as the console does', async () => {
    const { id } = await insertConnection(database.sql);
    expect((await calsync('connections', 'disconnect', id, '--reason', 'left us')).code).toBe(0);
    expect(await rung(QUEUE_NAMES.retry)).toEqual([{ task: 'disconnect', connection_id: id }]);
    expect([...(await logged())]).toEqual([
      { actor: 'calsync:vera', action: 'disconnect_requested', subject: id, details: { reason: 'left us' } },
    ]);
  });

  test('its channel is re-opened by a command, as by the console’s button', async () => {
    const connection = await insertConnection(database.sql);
    const { id } = connection;
    await insertChannel(database.sql, connection, { expires_at: new Date(Date.now() + 86_400_000).toISOString() });
    expect((await calsync('connections', 'reopen-channel', id)).code).toBe(0);
    const [channel] = await database.sql`SELECT expires_at <= now() AS has_ended FROM channels`;
    expect(channel).toEqual({ has_ended: true });
    expect(await rung(QUEUE_NAMES.retry)).toEqual([{ task: 'keep_channel', connection_id: id }]);
  });

  test.each(['disconnect', 'reopen-channel', 'pause'])(
    '%s of a connection that is not there ends with 1',
    async (verb) => {
      expect((await calsync('connections', verb, randomUUID(), '--reason', 'a test')).code).toBe(1);
      expect([...(await logged())]).toEqual([]);
    },
  );
});
