/** The watch over real queues: what it says when the queue freezes, when one line does, and when all is well. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlagBoard } from '@bookiji/flags';
import { createLogger, createMetrics, type Metrics } from '@bookiji/observability';
import { openQueues, type QueueSystem } from '@bookiji/queues';
import { type RedisServer, type Relay, startRedis, startRelay } from '@bookiji/testing';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createLivenessBoard, type LivenessBoard } from './liveness-board.ts';
import { startWorker } from './run-worker.ts';
import { watchWorker } from './watch-worker.ts';

const QUEUE = 'calendar-watched';
/** Short where the loss is what is waited for; long where a machine that stands still for a second must not look like one. */
const [SOON_MS, LATE_MS] = [1_200, 3_000];
// Left out where no Redis can be had; CI fails there instead (`scripts/test.ts`).
const suite = process.env.CALSYNC_TEST_REDIS === undefined ? describe.skip : describe;

suite('[R-2] a watched worker', () => {
  let redis: RedisServer;
  let relay: Relay;
  let queues: QueueSystem;
  let metrics: Metrics;
  let liveness: LivenessBoard;
  let failures: unknown[];
  let isOn: boolean;
  let start: (lostAfterMs: number) => void;
  let stop: () => Promise<void>;
  let refresh: () => void;

  beforeEach(async () => {
    redis = (await startRedis()) as RedisServer;
    relay = await startRelay(redis.port);
    const url = `redis://127.0.0.1:${relay.port}`;
    queues = openQueues({ kind: 'redis', url, prefix: `{t-${randomUUID().slice(0, 8)}}` }, () => undefined);
    metrics = createMetrics('test');
    failures = [];
    isOn = true;
    const flags = {
      isSwitchOn: () => isOn,
      onRefresh: (listener: () => void) => {
        refresh = listener;
        return () => undefined;
      },
    } as unknown as FlagBoard;
    const logger = createLogger({ role: 'test', level: 'silent' });
    start = (lostAfterMs) => {
      liveness = createLivenessBoard(lostAfterMs);
      const part = startWorker(
        { queues, flags, metrics, logger, instanceId: randomUUID(), liveness },
        { queue: QUEUE, concurrency: 2, process: async () => 'done' },
        { deadline: new AbortController().signal, fail: (error) => failures.push(error) },
      );
      stop = () => part.stop();
    };
  });
  afterEach(async () => {
    process.kill(redis.pid, 'SIGCONT');
    relay.restore();
    await Promise.race([stop(), sleep(2_000)]);
    await queues.close().catch(() => undefined);
    await relay.close();
    await redis.stop();
  });

  const state = () => liveness.states()[QUEUE];
  const canaryAt = async () => (await metrics.canaryLastSuccess.get()).values[0]?.value ?? 0;
  async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const end = performance.now() + 60_000;
    while (!(await isSo())) {
      if (performance.now() > end) throw new Error(`waited in vain: ${what}; it is ${state()}`);
      await sleep(20);
    }
  }
  const untilCanary = async () => {
    const before = await canaryAt();
    await until('a canary', async () => (await canaryAt()) > before);
  };

  test('is alive while canaries come through, and leaves none behind', async () => {
    start(LATE_MS);
    await untilCanary();
    await untilCanary();
    await until('life', () => state() === 'alive');
    expect(failures).toEqual([]);
    await until('an empty queue', async () => {
      const counts = await queues.queue(QUEUE).getJobCounts();
      return Object.values(counts).every((count) => count === 0);
    });
  });

  test('[B-2] whose canaries never came through is silent since its start', async () => {
    process.kill(redis.pid, 'SIGSTOP');
    const startedAt = Date.now() / 1000;
    start(LATE_MS);
    expect(await canaryAt()).toBeGreaterThanOrEqual(startedAt);
  });

  test('of a Redis that freezes says so, stays, and is alive again when Redis is', async () => {
    start(LATE_MS);
    await untilCanary();
    process.kill(redis.pid, 'SIGSTOP');
    await until('the loss to be seen', () => state() === 'away');
    process.kill(redis.pid, 'SIGCONT');
    await until('the recovery', () => state() === 'alive');
    await untilCanary();
    expect(failures).toEqual([]);
  });

  test('whose own line is dead while Redis answers others is lost, and ends its process', async () => {
    start(SOON_MS);
    await untilCanary();
    relay.freezeOpen();
    await until('the end', () => failures.length > 0);
    expect(String(failures[0])).toContain(`nothing comes through ${QUEUE} any more`);
    expect(state()).toBe('lost');
  });

  test('that an operator paused says so, and is alive again when it goes on', async () => {
    start(LATE_MS);
    await untilCanary();
    isOn = false;
    refresh();
    await until('the pause to be seen', () => state() === 'paused');
    isOn = true;
    refresh();
    await until('life', () => state() === 'alive');
    await untilCanary();
    expect(failures).toEqual([]);
  });

  test('whose queue is paused for all in Bull Board is paused', async () => {
    start(LATE_MS);
    await untilCanary();
    await queues.queue(QUEUE).pause();
    await until('the pause to be seen', () => state() === 'paused');
    await queues.queue(QUEUE).resume();
    await until('life', () => state() === 'alive');
  });
});

test('[R-2] a worker that an operator paused is neither lost nor proven, and has its time again afterwards', async () => {
  jest.useFakeTimers();
  let isPaused = true;
  let timesLost = 0;
  const queue = { addBulk: async () => [], isPaused: async () => false };
  const watch = watchWorker({
    queues: { queue: () => queue, probe: async () => undefined } as unknown as QueueSystem,
    ...{ queue: QUEUE, instanceId: 'i', metrics: createMetrics('test'), lostAfterMs: 30_000 },
    logger: createLogger({ role: 'test', level: 'silent' }),
    isPaused: () => isPaused,
    isFull: () => false,
    onLost: () => {
      timesLost += 1;
    },
  });
  try {
    await jest.advanceTimersByTimeAsync(600_000);
    expect(watch.state).toBe('paused');
    isPaused = false;
    await jest.advanceTimersByTimeAsync(29_000);
    expect(watch.state).toBe('alive');
    // And no more of it than any other: the canaries of this queue go nowhere.
    await jest.advanceTimersByTimeAsync(20_000);
    expect([watch.state, timesLost]).toEqual(['lost', 1]);
  } finally {
    watch.stop();
    jest.useRealTimers();
  }
});
