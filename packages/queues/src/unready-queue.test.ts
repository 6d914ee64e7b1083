import { type RedisServer, startRedis } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { ringInboundSyncs } from './doorbells.ts';
import { openQueues, type QueueSystem } from './transport.ts';

const hasRedis = process.env.CALSYNC_TEST_REDIS !== undefined;

// Without redis-server there is nothing to get ready with.
(hasRedis ? describe : describe.skip)('a queue that could not be got ready', () => {
  let redis: RedisServer | null;
  let operator: Redis;
  beforeAll(async () => {
    redis = await startRedis();
    operator = new Redis(redis?.url ?? '');
  });
  afterAll(async () => {
    operator.disconnect();
    await redis?.stop();
  });

  test('[R-2] [W-7] is not what a process is left with: once Redis answers, it rings', async () => {
    // What BullMQ asks for while it gets ready, and only then.
    await operator.call('ACL', 'SETUSER', 'default', '-info');
    const queues = openQueues({ kind: 'redis', url: redis?.url ?? '', prefix: '{unready}' }, () => undefined);
    try {
      await ringAgain(queues);
    } finally {
      await queues.close();
    }
  });

  async function ringAgain(queues: QueueSystem): Promise<void> {
    const ring = () => ringInboundSyncs(queues, ['5b0a4c53-7a39-4f5e-9d0e-4b1c3f0f6a11']);
    await expect(ring()).rejects.toThrow();
    await operator.call('ACL', 'SETUSER', 'default', '+info');
    // The next one may still meet the queue that was refused; the one after it does not.
    await ring().catch(() => undefined);
    await ring();
    expect(await operator.llen('{unready}:calendar-inbound-sync:wait')).toBe(1);
  }
});
