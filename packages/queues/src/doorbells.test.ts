import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedis } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ringInboundSyncs } from './doorbells.ts';
import { QUEUE_NAMES } from './queue-names.ts';
import { openQueues, type QueueSystem } from './transport.ts';

// Left out where no Redis can be had; CI fails there instead (`scripts/test.ts`).
const suite = process.env.CALSYNC_TEST_REDIS === undefined ? describe.skip : describe;

suite('a ring for an id', () => {
  let redis: RedisServer;
  let queues: QueueSystem;
  beforeAll(async () => {
    redis = (await startRedis()) as RedisServer;
    const url = `redis://127.0.0.1:${redis.port}`;
    queues = openQueues({ kind: 'redis', url, prefix: `{t-${randomUUID().slice(0, 8)}}` }, () => undefined);
  });
  afterAll(async () => {
    await queues.close();
    await redis.stop();
  });
  const ring = (id: string) => ringInboundSyncs(queues, [id]);
  const counts = () => queues.queue(QUEUE_NAMES.inboundSync).getJobCounts('wait', 'active', 'delayed', 'failed');
  const startWorker = (look: () => Promise<void>) => {
    const worker = queues.worker(QUEUE_NAMES.inboundSync, look, { concurrency: 1 });
    void worker.run();
    return worker;
  };

  test('[R-2] whose look failed and waits to be repeated is answered at once, not after the wait', async () => {
    const id = randomUUID();
    const worker = startWorker(() => Promise.reject(new Error('the database is away')));
    const failed = new Promise((resolve) => worker.once('failed', resolve));
    await ring(id);
    await failed;
    await worker.close();
    expect(await counts()).toEqual({ wait: 0, active: 0, delayed: 1, failed: 0 });
    await ring(id);
    expect(await counts()).toEqual({ wait: 1, active: 0, delayed: 0, failed: 0 });
    await queues.queue(QUEUE_NAMES.inboundSync).drain(true);
  });

  test('[R-2] that is looked at already leads to one more look, and to one only', async () => {
    const id = randomUUID();
    let looks = 0;
    const worker = startWorker(async () => {
      looks += 1;
      if (looks === 1) for (let again = 0; again < 3; again += 1) await ring(id);
    });
    const drained = new Promise<void>((resolve) => worker.on('drained', () => looks > 1 && resolve()));
    await ring(id);
    await drained;
    await worker.close();
    expect(looks).toBe(2);
  });
});
