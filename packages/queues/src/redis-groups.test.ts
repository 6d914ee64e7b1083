/** Queues on several Redis processes: Sentinel, where the master changes, and Cluster, where keys have their places. */

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisGroup, type RedisSentinel, startRedisCluster, startRedisSentinel } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ringInboundSyncs } from './doorbells.ts';
import { QUEUE_NAMES } from './queue-names.ts';
import { openQueues, type QueueSystem } from './transport.ts';

// Left out where no Redis can be had; CI fails there instead (`scripts/test.ts`).
const suite = process.env.CALSYNC_TEST_REDIS === undefined ? describe.skip : describe;

/** A worker that keeps the ids it was rung for, over its own connections. */
async function openPair(url: string) {
  const transport = { kind: 'redis', url, prefix: `{test-${randomUUID().slice(0, 8)}}` } as const;
  const queues = openQueues(transport, () => undefined);
  const heard: string[] = [];
  const worker = queues.worker(QUEUE_NAMES.inboundSync, async (job) => void heard.push(job.data.connection_id), {
    concurrency: 5,
  });
  void worker.run();
  const close = async () => {
    await worker.close(true);
    await queues.close();
  };
  return { queues, heard, close };
}

/** Rings until it is taken. */
async function ringUntilTaken(queues: QueueSystem, id: string): Promise<void> {
  for (;;) {
    try {
      return await ringInboundSyncs(queues, [id]);
    } catch {
      await sleep(50);
    }
  }
}

async function untilHeard(heard: readonly string[], id: string): Promise<void> {
  while (!heard.includes(id)) await sleep(10);
}

suite('[R-2] queues on Sentinel', () => {
  let redis: RedisSentinel;
  beforeAll(async () => {
    redis = await startRedisSentinel();
  }, 180_000);
  afterAll(() => redis?.stop(), 180_000);

  test('ring and are heard again after the master was killed, over the connections that were open', async () => {
    const { queues, heard, close } = await openPair(redis.url);
    const ids = [randomUUID(), randomUUID()] as const;
    await ringUntilTaken(queues, ids[0]);
    await untilHeard(heard, ids[0]);
    await redis.kill();
    // Nobody can have taken it but the one that took over: the dead one stays away.
    await Promise.all([ringUntilTaken(queues, ids[1]), redis.failOver()]);
    await untilHeard(heard, ids[1]);
    await queues.probe();
    await close();
  }, 180_000);
});

suite('[R-2] queues on a cluster of three', () => {
  let redis: RedisGroup;
  beforeAll(async () => {
    redis = await startRedisCluster();
  }, 180_000);
  afterAll(() => redis?.stop(), 180_000);

  test('every queue rings, is heard, and collapses rings, whatever node its prefix lies on', async () => {
    for (let at = 0; at < 4; at += 1) {
      const { queues, heard, close } = await openPair(redis.url);
      const id = randomUUID();
      await ringInboundSyncs(queues, [id, id, randomUUID()]);
      await untilHeard(heard, id);
      await queues.probe();
      for (const name of Object.values(QUEUE_NAMES)) await queues.queue(name).add('any', {}, { jobId: 'once' });
      for (const name of Object.values(QUEUE_NAMES).filter((one) => one !== QUEUE_NAMES.inboundSync))
        expect(await queues.queue(name).getJobCounts('waiting')).toEqual({ waiting: 1 });
      await close();
    }
  }, 180_000);

  test('a prefix without a hash tag is refused at the first job', async () => {
    const queues = openQueues({ kind: 'redis', url: redis.url, prefix: 'untagged' }, () => undefined);
    await expect(ringInboundSyncs(queues, [randomUUID()])).rejects.toThrow('same slot');
    await queues.close();
  });
});

test('[B-3] rediss+sentinel:// says hello to the sentinels in TLS and not in plain text', async () => {
  const server = createServer();
  const hello = new Promise<Buffer>((resolve) =>
    server.on('connection', (socket) =>
      socket.once('data', (bytes) => {
        socket.destroy();
        resolve(bytes);
      }),
    ),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const queues = openQueues(
    { kind: 'redis', url: `rediss+sentinel://:secret@127.0.0.1:${port}/main`, prefix: '{test}' },
    () => undefined,
  );
  queues.queue(QUEUE_NAMES.retry);
  // A TLS record of the handshake.
  expect((await hello)[0]).toBe(0x16);
  await queues.close().catch(() => undefined);
  server.close();
});
