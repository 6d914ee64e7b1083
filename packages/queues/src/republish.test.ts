import { describe, expect, test } from '@jest/globals';
import type { BookingEventMessage } from './booking-events.ts';
import { postponeMs } from './park-job.ts';
import { republishBookings } from './republish.ts';

const event = (version: number) => ({ version }) as BookingEventMessage;

describe('saying everything again', () => {
  test('hands over every event once, in batches, and tells how far it is', async () => {
    const batches: number[][] = [];
    const progress: number[] = [];
    const count = await republishBookings(
      [1, 2, 3, 4, 5].map(event),
      async (batch) => {
        batches.push(batch.map(({ version }) => version));
      },
      { batchSize: 2, onProgress: (so_far) => progress.push(so_far) },
    );
    expect(batches).toEqual([[1, 2], [3, 4], [5]]);
    expect(progress).toEqual([2, 4, 5]);
    expect(count).toBe(5);
  });

  test('ends with what the way threw', async () => {
    const away = republishBookings([event(1)], () => Promise.reject(new Error('away')));
    await expect(away).rejects.toThrow('away');
  });
});

describe('[R-2] a job that is never given up', () => {
  test('waits longer and longer, up to half a minute', () => {
    expect([1, 2, 5, 10, 500].map((count) => postponeMs(count, 0.999_999))).toEqual([
      1_100, 2_100, 16_100, 30_100, 30_100,
    ]);
    expect(postponeMs(500, 0)).toBe(100);
  });
});
