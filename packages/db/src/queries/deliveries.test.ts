import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertChannel, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ProvenNotification, pruneDeliveries, recordDeliveries } from './deliveries.ts';
import { eraseDisconnecting, requestDisconnect } from './disconnects.ts';
import { claimSync } from './sync-leases.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function setUp(resourceId: string | null = 'resource') {
  const connection = await insertConnection(database.sql);
  const channelId = await insertChannel(database.sql, connection, { resource_id: resourceId });
  const notify = (over: Partial<ProvenNotification> = {}): ProvenNotification => ({
    connectionId: connection.id,
    channelId,
    resourceId: 'resource',
    subscriptionId: null,
    deliveryKey: '1',
    ...over,
  });
  return { connection, channelId, notify };
}

const record = (notifications: readonly ProvenNotification[]) =>
  recordDeliveries(database.db, notifications, { providerIds: null, connectionIds: null });
const take = async (notifications: readonly ProvenNotification[], allowed: string[] | null = null) =>
  (await recordDeliveries(database.db, notifications, { providerIds: allowed, connectionIds: null })).verdicts;

async function requestedOf(id: string): Promise<number> {
  const [row] = await database.sql`SELECT requested FROM external_calendar_connections WHERE id = ${id}`;
  return Number(row?.requested);
}

async function countReceipts(id: string): Promise<number> {
  const [row] = await database.sql`SELECT count(*) AS n FROM deliveries WHERE connection_id = ${id}`;
  return Number(row?.n);
}

async function countRows(): Promise<number> {
  const [row] =
    await database.sql`SELECT (SELECT count(*) FROM deliveries) + (SELECT coalesce(sum(requested), 0) FROM external_calendar_connections) AS n`;
  return Number(row?.n);
}

describe('recordDeliveries', () => {
  test('[W-4] a repeated delivery is a duplicate, two different ones are not', async () => {
    const { connection, notify } = await setUp();
    expect(await take([notify()])).toEqual(['accepted']);
    expect(await take([notify(), notify({ deliveryKey: '2' })])).toEqual(['duplicate', 'accepted']);
    expect(await countReceipts(connection.id)).toBe(2);
    expect(await requestedOf(connection.id)).toBe(2);
  });

  test('[W-5] a connection that waits for a look is not raised again, one that is being looked at is', async () => {
    const { connection, notify } = await setUp();
    await take([notify()]);
    await take([notify({ deliveryKey: '2' })]);
    expect(await requestedOf(connection.id)).toBe(2);
    const claim = await claimSync(database.db, { connectionId: connection.id, owner: 'a', leaseMs: 1 });
    expect(claim).toMatchObject({ noted: 2 });
    // Also when the lease is over by the clock: its holder may still be alive and record what it read before.
    await database.sql`SELECT pg_sleep(0.01)`;
    await take([notify({ deliveryKey: '3' })]);
    expect(await requestedOf(connection.id)).toBe(3);
  });

  test('[W-5] only what was clean until now is to be rung for', async () => {
    const { connection, notify } = await setUp();
    const { notify: other, connection: clean } = await setUp();
    await database.sql`UPDATE external_calendar_connections SET applied = requested WHERE id = ${clean.id}`;
    expect(connection.id).not.toBe(clean.id);
    expect((await record([notify(), other(), other({ deliveryKey: '2' })])).toRing).toEqual([clean.id]);
    expect((await record([notify(), other({ deliveryKey: '3' })])).toRing).toEqual([]);
  });

  test('[W-5] a hundred identical ones in one batch are one delivery and one request', async () => {
    const { connection, notify } = await setUp();
    const verdicts = await take(Array.from({ length: 100 }, () => notify()));
    expect(verdicts.filter((verdict) => verdict === 'accepted')).toHaveLength(1);
    expect(verdicts.filter((verdict) => verdict === 'duplicate')).toHaveLength(99);
    expect(await requestedOf(connection.id)).toBe(2);
  });

  test('[W-4] of the same delivery on many connections at once exactly one is new', async () => {
    const { notify } = await setUp();
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => take([notify({ deliveryKey: 'same' })])));
    expect(verdicts.flat().filter((verdict) => verdict === 'accepted')).toHaveLength(1);
  });

  test('[W-5] overlapping batches in opposite orders do not deadlock', async () => {
    const set = await Promise.all(Array.from({ length: 8 }, () => setUp()));
    const rounds = Array.from({ length: 30 }, (_, round) => {
      const order = round % 2 === 0 ? set : [...set].reverse();
      return take(order.map(({ notify }) => notify({ deliveryKey: `r${round % 5}` })));
    });
    const verdicts = (await Promise.all(rounds)).flat();
    expect(verdicts.filter((verdict) => verdict === 'accepted')).toHaveLength(8 * 5);
  });

  test('a delivery without a key is never a duplicate', async () => {
    const { notify } = await setUp();
    expect(await take([notify({ deliveryKey: null }), notify({ deliveryKey: null })])).toEqual([
      'accepted',
      'accepted',
    ]);
  });

  test('[W-4] what a key is made of is kept as it came, and told apart', async () => {
    const { connection, notify } = await setUp();
    const keys = ['NULL', '"', '\\', '\\"', ',', '{}', ' a ', "'", 'ü', '\n'];
    const all = keys.map((deliveryKey) => notify({ deliveryKey }));
    expect(await take(all)).toEqual(keys.map(() => 'accepted'));
    const rows = await database.sql`SELECT delivery_key FROM deliveries WHERE connection_id = ${connection.id}`;
    expect(rows.map((row) => row.delivery_key).sort()).toEqual([...keys].sort());
    expect(await take([...all, notify()])).toEqual([...keys.map(() => 'duplicate'), 'accepted']);
  });

  test.each([
    ['unknown_connection', { connectionId: randomUUID() }, null],
    ['unknown_channel', { channelId: 'never-issued' }, null],
    ['unauthentic', { resourceId: 'another' }, null],
    ['not_allowed', {}, [randomUUID()]],
  ] as const)('[W-6] %s writes nothing: %j', async (verdict, over, allowed) => {
    const { notify } = await setUp();
    const before = await countRows();
    expect(await take([notify(over)], allowed as string[] | null)).toEqual([verdict]);
    expect(await countRows()).toBe(before);
  });

  test("[W-2] another connection's channel proves nothing", async () => {
    const mine = await setUp();
    const other = await setUp();
    expect(await take([mine.notify({ channelId: other.channelId })])).toEqual(['unknown_channel']);
  });

  test('[W-2] a resource that is not known yet is taken: the watch may not have been answered', async () => {
    const { notify } = await setUp(null);
    expect(await take([notify()])).toEqual(['accepted']);
  });

  test('a retired channel is told apart and changes nothing', async () => {
    const { connection, channelId, notify } = await setUp();
    await database.sql`UPDATE channels SET state = 'retired' WHERE id = ${channelId}`;
    expect(await take([notify()])).toEqual(['retired_channel']);
    expect(await requestedOf(connection.id)).toBe(1);
  });

  test('[W-6] one bad notification does not sink the others of its batch', async () => {
    const { notify } = await setUp();
    const verdicts = await take([notify({ channelId: 'x' }), notify(), notify({ connectionId: randomUUID() })]);
    expect(verdicts).toEqual(['unknown_channel', 'accepted', 'unknown_connection']);
  });

  test('[W-5] says when it was received', async () => {
    const { connection, notify } = await setUp();
    await take([notify()]);
    const [row] = await database.sql`
      SELECT sync_needed, last_webhook_received_at IS NOT NULL AS received, notified_at IS NOT NULL AS notified
        FROM external_calendar_connections WHERE id = ${connection.id}`;
    expect(row).toEqual({ sync_needed: true, received: true, notified: true });
  });
});

test('[W-4] receipts are bounded per connection and by age, but the newest are kept however old', async () => {
  const { connection, notify } = await setUp();
  for (let key = 0; key < 12; key += 1) await take([notify({ deliveryKey: `k${key}` })]);
  const pruned = async (keep: Parameters<typeof pruneDeliveries>[1]) => {
    await pruneDeliveries(database.db, keep);
    const rows =
      await database.sql`SELECT delivery_key FROM deliveries WHERE connection_id = ${connection.id} ORDER BY received_at`;
    return rows.map((row) => row.delivery_key);
  };
  const young = ['k5', 'k6', 'k7', 'k8', 'k9', 'k10', 'k11'];
  expect(await pruned({ seconds: 604_800, atLeast: 3, atMost: 7 })).toEqual(young);
  await database.sql`UPDATE deliveries SET received_at = received_at - interval '8 days' WHERE connection_id = ${connection.id}`;
  expect(await pruned({ seconds: 604_800, atLeast: 3, atMost: 7 })).toEqual(['k9', 'k10', 'k11']);
});

test('[A-1] the receipts of a connection go with it when it is disconnected, and stay when the wish was withdrawn', async () => {
  const { connection, notify } = await setUp();
  const other = await setUp();
  await take([notify(), notify({ deliveryKey: '2' }), other.notify()]);
  expect(await eraseDisconnecting(database.db, connection.id)).toBe(false);
  expect(await countReceipts(connection.id)).toBe(2);
  await requestDisconnect(database.db, connection.id);
  expect(await eraseDisconnecting(database.db, connection.id)).toBe(true);
  expect(await countReceipts(connection.id)).toBe(0);
  expect(await countReceipts(other.connection.id)).toBe(1);
});

test('[W-4] a receipt that was stored while its connection was being deleted is forgotten by its age', async () => {
  const gone = await setUp();
  const here = await setUp();
  await take([
    gone.notify(),
    here.notify(),
    gone.notify({ deliveryKey: 'young' }),
    here.notify({ deliveryKey: 'young' }),
  ]);
  await database.sql`DELETE FROM external_calendar_connections WHERE id = ${gone.connection.id}`;
  await database.sql`
    UPDATE deliveries SET received_at = now() - interval '8 days'
     WHERE delivery_key = '1' AND connection_id IN (${gone.connection.id}, ${here.connection.id})`;
  expect(await pruneDeliveries(database.db, { seconds: 604_800, atLeast: 100, atMost: 1_000 })).toBe(1);
  expect(await countReceipts(gone.connection.id)).toBe(1);
  expect(await countReceipts(here.connection.id)).toBe(2);
});
