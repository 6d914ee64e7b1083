import { expect, jest, test } from '@jest/globals';
import { withDeadline } from './with-deadline.ts';

const never = new Promise<never>(() => undefined);

test('work that ends in time ends as it would alone, and leaves no timer behind', async () => {
  jest.useFakeTimers();
  try {
    await expect(withDeadline(Promise.resolve('done'), 60_000, 'too late')).resolves.toBe('done');
    await expect(withDeadline(Promise.reject(new Error('broken')), 60_000, 'too late')).rejects.toThrow('broken');
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

test('work that does not end is given up when its time is over', async () => {
  await expect(withDeadline(never, 5, 'the queue did not answer')).rejects.toThrow('the queue did not answer');
});

test('a failure that comes after the deadline is heard by nobody', async () => {
  const unheard: unknown[] = [];
  const listen = (reason: unknown) => unheard.push(reason);
  process.on('unhandledRejection', listen);
  const late = Promise.withResolvers<never>();
  await expect(withDeadline(late.promise, 1, 'too late')).rejects.toThrow('too late');
  late.reject(new Error('late'));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', listen);
  expect(unheard).toEqual([]);
});
