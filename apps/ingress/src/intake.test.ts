import type { ProvenNotification, RecordedDeliveries } from '@bookiji/db';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createIntake } from './intake.ts';

/** A session whose statements are answered when the test says so. */
function openSession() {
  const sent: { keys: (string | null)[]; answer: () => void }[] = [];
  const store = (batch: readonly ProvenNotification[]) =>
    new Promise<RecordedDeliveries>((resolve) => {
      const keys = batch.map(({ deliveryKey }) => deliveryKey);
      sent.push({ keys, answer: () => resolve({ verdicts: keys.map(() => 'accepted'), toRing: [] }) });
    });
  return { sent, store };
}

function notification(deliveryKey: string): ProvenNotification {
  return { connectionId: 'c', channelId: null, resourceId: null, subscriptionId: null, deliveryKey };
}

describe('intake', () => {
  const [first, second] = [openSession(), openSession()];
  let intake: ReturnType<typeof createIntake>;
  beforeEach(() => {
    jest.useFakeTimers();
    for (const { sent } of [first, second]) sent.length = 0;
    intake = createIntake({
      sessions: [first.store, second.store],
      ring: () => Promise.resolve(),
      onRingLost: () => undefined,
    });
  });
  afterEach(() => void jest.useRealTimers());

  /** @returns what each came to; empty while it waits. */
  const take = (...keys: string[]) => {
    const outcomes: string[] = keys.map(() => '');
    for (const [at, key] of keys.entries()) {
      void intake.take(notification(key)).then(
        (verdict) => (outcomes[at] = verdict),
        (error: Error) => (outcomes[at] = error.name),
      );
    }
    return outcomes;
  };
  const keysOf = (session: typeof first) => session.sent.map(({ keys }) => keys.length);

  test('[W-5] gathers what arrives while a statement is under way, and sends the next one behind it when that is worth it', async () => {
    take('a');
    await jest.advanceTimersByTimeAsync(1);
    take(...Array.from({ length: 15 }, (_, at) => `few ${at}`));
    await jest.advanceTimersByTimeAsync(1);
    expect([keysOf(first), keysOf(second)]).toEqual([[1], []]);
    take('enough');
    await jest.advanceTimersByTimeAsync(1);
    take(...Array.from({ length: 40 }, (_, at) => `third ${at}`));
    await jest.advanceTimersByTimeAsync(1);
    expect([keysOf(first), keysOf(second)]).toEqual([[1, 16], []]);
    first.sent[0]?.answer();
    await jest.advanceTimersByTimeAsync(1);
    expect([keysOf(first), keysOf(second)]).toEqual([[1, 16, 40], []]);
  });

  test('[W-7] a statement that waits for a lock holds up nobody who comes after it', async () => {
    const held = take('held');
    await jest.advanceTimersByTimeAsync(1);
    const later = take('later');
    await jest.advanceTimersByTimeAsync(60);
    expect(second.sent.map(({ keys }) => keys)).toEqual([['later']]);
    second.sent[0]?.answer();
    await jest.advanceTimersByTimeAsync(1);
    expect([held, later]).toEqual([[''], ['accepted']]);
    first.sent[0]?.answer();
    await jest.advanceTimersByTimeAsync(1);
    expect(held).toEqual(['accepted']);
  });

  test('[W-7] when the database says nothing, everybody hears so within two seconds of their coming', async () => {
    const early = take('1');
    await jest.advanceTimersByTimeAsync(100);
    take('2');
    await jest.advanceTimersByTimeAsync(100);
    const waiting = take('3');
    expect([keysOf(first), keysOf(second)]).toEqual([[1], [1]]);
    await jest.advanceTimersByTimeAsync(1_850);
    expect([early, waiting]).toEqual([['IntakeTimeoutError'], ['']]);
    await jest.advanceTimersByTimeAsync(250);
    expect(waiting).toEqual(['IntakeTimeoutError']);
    first.sent[0]?.answer();
    const after = take('4');
    await jest.advanceTimersByTimeAsync(1);
    first.sent[1]?.answer();
    await jest.advanceTimersByTimeAsync(1);
    expect(after).toEqual(['accepted']);
  });
});
