import { LeaseLostError } from '@bookiji/db';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { keepLease } from './lease-keeper.ts';

const LEASE = { leaseMs: 3_000, stepAtMostMs: 30_000 };
const endless = () => new Promise<never>(() => undefined);

let renewals: number;
let owner: AbortController;
beforeEach(() => {
  jest.useFakeTimers();
  renewals = 0;
  owner = new AbortController();
});
afterEach(() => {
  jest.useRealTimers();
});
const renew = async () => {
  renewals += 1;
};
const keep = (extend: () => Promise<void> = renew) => keepLease(extend, LEASE, owner.signal);
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const endOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof LeaseLostError ? 'lease lost' : 'failed'),
  );

describe('[R-2] work under a lease', () => {
  test('keeps it while it goes on, and ends with its own end', async () => {
    const keeper = keep();
    const work = Promise.withResolvers<string>();
    const held = keeper.hold(work.promise);
    await pass(10_000);
    expect(renewals).toBe(10);
    work.resolve('done');
    expect(await held).toBe('done');
    keeper.stop();
  });

  test('that was called off and does not end is left to itself, and its lease is renewed no more', async () => {
    const keeper = keep();
    const end = endOf(keeper.hold(endless()));
    owner.abort();
    await pass(5_000);
    expect(await end).toBe('lease lost');
    expect(renewals).toBe(0);
    keeper.stop();
  });

  test('that comes no step further is called off, however well its lease could be renewed', async () => {
    const keeper = keep();
    const end = endOf(keeper.hold(endless()));
    await pass(29_000);
    keeper.proceed();
    await pass(29_000);
    expect(keeper.signal.aborted).toBe(false);
    await pass(10_000);
    expect(keeper.signal.reason).toBeInstanceOf(LeaseLostError);
    expect(await end).toBe('lease lost');
    keeper.stop();
  });

  test.each([
    ['was taken by somebody else', () => Promise.reject(new LeaseLostError('the booking')), 1_000],
    ['cannot be renewed in time', endless, 3_000],
  ])('is called off when the lease %s', async (_, extend, afterMs) => {
    const keeper = keep(extend);
    await pass(afterMs);
    expect(keeper.signal.reason).toBeInstanceOf(LeaseLostError);
    keeper.stop();
  });
});
