/** What a process says of its readiness while the queue transport is away. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort, type Part } from '@bookiji/runtime';
import { asRole, createTestDatabase, type RedisServer, startRedis, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openStores, startHealth } from '../src/index.ts';
import type { StoreSettings, Stores } from '../src/open-stores.ts';

// Left out where no Redis can be had; CI fails there instead (`scripts/test.ts`).
const suite = process.env.CALSYNC_TEST_REDIS === undefined ? describe.skip : describe;

suite('readiness', () => {
  let database: TestDatabase;
  let settings: StoreSettings;
  let redisPort: number;
  let redisAgain: RedisServer | null;
  const parts: Part[] = [];
  const context = {
    own: (part: Part) => void parts.push(part),
    deadline: new AbortController().signal,
    fail: () => {},
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    redisPort = await findFreePort();
    settings = {
      DATABASE_URL: asRole(database.url, 'calsync_worker'),
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      QUEUE_PREFIX: `{t-${randomUUID().slice(0, 8)}}`,
      LOG_LEVEL: 'silent',
    };
  });
  afterAll(async () => {
    for (const { stop } of parts.reverse()) await stop();
    await redisAgain?.stop();
    await database.drop();
  });

  const open = async (role: string, more: Partial<StoreSettings>) => {
    const stores: Stores = await openStores(context, role, { ...settings, ...more }, 2);
    const port = await startHealth(context, stores, 0);
    return async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      return { status: answer.status, checks: ((await answer.json()) as { checks: unknown }).checks };
    };
  };

  async function untilReady(ask: () => Promise<{ status: number }>): Promise<void> {
    const end = performance.now() + 30_000;
    while ((await ask()).status !== 200) {
      if (performance.now() > end) throw new Error('waited in vain: the worker to be ready again');
      await sleep(50);
    }
  }

  // Otherwise a rollout with a wrong REDIS_URL would go through, and nobody would take a job any more.
  test('[R-2] a worker is ready while it reaches its queue, and ingress is without it', async () => {
    const worker = await open('inbound-worker', { WORKER_LOST_AFTER_SECONDS: 30 });
    const ingress = await open('ingress', {});
    const away = { status: 503, checks: { database: 'ok', queue: 'unavailable' } };
    const without = { status: 200, checks: { database: 'ok' } };
    const startedAt = performance.now();
    expect(await worker()).toEqual(away);
    expect(performance.now() - startedAt).toBeLessThan(2_500);
    expect(await ingress()).toEqual(without);

    const redis = await startRedis(redisPort);
    await untilReady(worker);
    await redis?.stop();
    expect(await worker()).toEqual(away);
    expect(await ingress()).toEqual(without);

    redisAgain = await startRedis(redisPort);
    await untilReady(worker);
  }, 90_000);

  test('a worker with its queue in PostgreSQL asks for that once', async () => {
    const worker = await open('retry-worker', { WORKER_LOST_AFTER_SECONDS: 30, REDIS_URL: undefined });
    expect(await worker()).toEqual({ status: 200, checks: { database: 'ok' } });
  });
});
