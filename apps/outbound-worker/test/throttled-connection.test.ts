/** One owner's calendar is throttled by its provider: the others at the same provider notice nothing. */
import type { BuiltConnection } from '@bookiji/testing';
import { percentile } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type OutboundStage, startOutboundStage } from './outbound-stage.ts';

const OTHERS = 24;
/** Many bookings of one large calendar, all due at once. */
const LARGE = 30;
const ROUNDS = 6;
const RETRY_AFTER_SECONDS = 20;

let stage: OutboundStage;
let throttled: BuiltConnection;
let others: BuiltConnection[];
let largeBookings: string[];
let otherBookings: string[];
beforeAll(async () => {
  stage = await startOutboundStage({ backoff: { baseSeconds: 300, maxSeconds: 21_600 }, breakerResetMs: 30_000 });
  throttled = await stage.connect('google');
  others = await Promise.all(Array.from({ length: OTHERS }, () => stage.connect('google')));
  largeBookings = await Promise.all(Array.from({ length: LARGE }, () => stage.book(throttled)));
  otherBookings = await Promise.all(others.map((connection) => stage.book(connection)));
  await workOff();
}, 180_000);
afterAll(() => stage?.close());

const email = () => `${throttled.id}@google.example`;
async function workOff(): Promise<void> {
  for (let look = 0; look < 20 && (await stage.work()).length > 0; look += 1) await stage.pass(5);
}

/** The large calendar's bookings first, then one of each other: the order in which a queue would hold them back. */
async function playRound(): Promise<number[]> {
  for (const bookingId of largeBookings) await stage.book(throttled, bookingId);
  for (const [index, connection] of others.entries()) await stage.book(connection, otherBookings[index]);
  const looked = await stage.work();
  return looked.flatMap(({ connectionId, lagMs }) => (connectionId === throttled.id || lagMs === null ? [] : [lagMs]));
}

describe('[R-1] a connection that is answered 429', () => {
  test('does not slow the others down', async () => {
    const without: number[][] = [];
    const withThrottling: number[][] = [];
    // In turns, so that whatever slows the machine for a while slows both.
    for (let round = 0; round < ROUNDS; round += 1) {
      await stage.order('DELETE', '/faults');
      without.push(await playRound());
      await stage.pass(RETRY_AFTER_SECONDS * 2);
      await workOff();
      await stage.order('POST', '/faults', {
        provider: 'google',
        user: email(),
        operation: 'events.*',
        status: 429,
        reason: 'rateLimitExceeded',
        retry_after: RETRY_AFTER_SECONDS,
      });
      withThrottling.push(await playRound());
    }
    expect(without.flat()).toHaveLength(ROUNDS * OTHERS);
    expect(withThrottling.flat()).toHaveLength(ROUNDS * OTHERS);
    // Of the rounds the middle one: a moment in which the machine did something else is no answer.
    const typical = (rounds: readonly number[][], share: number) =>
      percentile(
        rounds.map((lags) => percentile(lags, share)),
        0.5,
      );
    expect(typical(withThrottling, 0.5)).toBeLessThanOrEqual(1.25 * typical(without, 0.5) + 30);
    expect(typical(withThrottling, 0.95)).toBeLessThanOrEqual(1.25 * typical(without, 0.95) + 100);
  }, 120_000);

  test('is not asked again before its time, spends no attempt and is not parked', async () => {
    await stage.order('DELETE', '/requests');
    await playRound();
    for (let look = 0; look < 5; look += 1) await stage.work();
    const asked = async () => {
      const { recent } = await stage.order<{ recent: { user: string; status: number }[] }>(
        'GET',
        '/requests?recent=2000',
      );
      return recent.filter(({ user }) => user === email()).map(({ status }) => status);
    };
    expect((await asked()).length).toBeLessThanOrEqual(1);
    const effects = () => stage.database.sql`
      SELECT sum(error_count)::int AS attempts, count(*) FILTER (WHERE applied_version < version)::int AS waiting
        FROM booking_effects WHERE connection_id = ${throttled.id}`;
    expect(await effects()).toEqual([{ attempts: 0, waiting: LARGE }]);
    const [connection] = await stage.database.sql`
      SELECT status, error_count FROM external_calendar_connections WHERE id = ${throttled.id}`;
    expect(connection).toEqual({ status: 'active', error_count: 0 });
  }, 180_000);
});
