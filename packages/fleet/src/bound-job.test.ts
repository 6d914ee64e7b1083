import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { boundJob } from './bound-job.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});
const LIMITS = { atMostMs: 60_000, graceMs: 10_000 };
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const never = new AbortController().signal;
const endOf = (job: Promise<unknown>) => job.catch((error: Error) => error.message);
/** Ends when it is told to, as work should. */
const obedient = (signal: AbortSignal) =>
  new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('interrupted')));
const deaf = () => new Promise<string>(() => undefined);

test('[R-2] a job ends with its own end, and leaves no timer behind', async () => {
  expect(await boundJob(async () => 'done', never, LIMITS)).toBe('done');
  await expect(boundJob(() => Promise.reject(new Error('no')), never, LIMITS)).rejects.toThrow('no');
  expect(jest.getTimerCount()).toBe(0);
});

test('[R-2] a job that takes too long is called off, and has time to end well', async () => {
  const end = endOf(boundJob(obedient, never, LIMITS));
  await pass(LIMITS.atMostMs);
  expect(await end).toBe('interrupted');
  expect(jest.getTimerCount()).toBe(0);
});

test.each(['before it began', 'while it goes on'])(
  '[R-2] a job called off %s that does not end is left to itself',
  async (when) => {
    const caller = new AbortController();
    if (when === 'before it began') caller.abort();
    const end = endOf(boundJob(deaf, caller.signal, LIMITS));
    caller.abort();
    await pass(LIMITS.graceMs);
    expect(await end).toMatch('did not end');
    expect(jest.getTimerCount()).toBe(0);
  },
);
