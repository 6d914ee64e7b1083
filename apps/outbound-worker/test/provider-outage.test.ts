/** One calendar provider is down for ten minutes: what its bookings, and those of the other one, notice of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuiltConnection } from '@bookiji/testing';
import { percentile } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Looked, mostInOneSecond, type OutboundStage, startOutboundStage } from './outbound-stage.ts';

const CONNECTIONS = 24;
const BOOKINGS_EACH = 5;
/** As in production; so is everything else but the two below. */
const BACKOFF = { baseSeconds: 300, maxSeconds: 21_600 };
/** A breaker's timer is the process's own: what stands for its half minute while the database's clock is moved by one. */
const BREAKER_RESET_MS = 250;
const OUTAGE_STEPS = 20;
const STEP_SECONDS = 30;
/** Far below what twenty workers do by themselves, so that the budget is what limits them. */
const REQUESTS_PER_SECOND = 20;

let stage: OutboundStage;
let down: BuiltConnection[];
let up: BuiltConnection[];
let upBookings: string[];
beforeAll(async () => {
  stage = await startOutboundStage({
    backoff: BACKOFF,
    breakerResetMs: BREAKER_RESET_MS,
    requestsPerMinute: REQUESTS_PER_SECOND * 60,
  });
  const many = (provider: 'google' | 'microsoft') =>
    Promise.all(Array.from({ length: CONNECTIONS }, () => stage.connect(provider)));
  [down, up] = await Promise.all([many('google'), many('microsoft')]);
}, 180_000);
afterAll(() => stage?.close());

const lagsOf = (looked: readonly Looked[]) =>
  looked.flatMap(({ calendarProvider, lagMs }) => (calendarProvider === 'microsoft' && lagMs !== null ? [lagMs] : []));
/** A new version of one booking in each of some calendars of the healthy provider. */
const bookUp = async (step: number) => {
  for (let index = step % 4; index < CONNECTIONS; index += 4) {
    await stage.book(up[index] as BuiltConnection, upBookings[index]);
  }
};
const breakerState = async (provider: string) =>
  (await stage.metrics.breakerState.get()).values.find(({ labels }) => labels.calendar_provider === provider)?.value;
const effects = async () => {
  const [row] = await stage.database.sql`
    SELECT sum(e.error_count)::int AS attempts, count(*) FILTER (WHERE e.dead_at IS NOT NULL)::int AS dead,
           count(*) FILTER (WHERE e.applied_version < e.version)::int AS waiting,
           count(*) FILTER (WHERE c.status <> 'active')::int AS parked
      FROM booking_effects e JOIN external_calendar_connections c ON c.id = e.connection_id
     WHERE c.calendar_provider = 'google'`;
  return row as unknown as { attempts: number; dead: number; waiting: number; parked: number };
};

describe('[R-1] a calendar provider that is down for ten minutes', () => {
  /** Of the other provider's bookings, by step: beside work for the one that is down, and right after, when that is put off. */
  let beside: number[][];
  let alone: number[][];
  let backlog: number;

  test('opens its breaker, and spends no attempt and no request while it is open', async () => {
    upBookings = await Promise.all(up.map((connection) => stage.book(connection)));
    await stage.work();

    await stage.order('POST', '/faults', { provider: 'google', operation: 'events.*', status: 503 });
    await stage.order('DELETE', '/requests');
    for (const connection of down) for (let one = 0; one < BOOKINGS_EACH; one += 1) await stage.book(connection);
    [beside, alone] = [[], []];
    let atOpening = 0;
    let openedMs = 0;
    const startedAt = performance.now();
    for (let step = 0; step < OUTAGE_STEPS; step += 1) {
      await bookUp(step);
      beside.push(lagsOf(await stage.work()));
      expect(await breakerState('google')).toBeGreaterThan(0);
      if (step === 0) {
        atOpening = (await stage.requestTimes('google')).length;
        openedMs = performance.now() - startedAt;
      }
      // In turns, so that whatever slows the machine for a while slows both.
      await bookUp(step + 2);
      alone.push(lagsOf(await stage.work()));
      await stage.pass(STEP_SECONDS);
      await sleep(BREAKER_RESET_MS + 50);
    }
    // Ten calls open it, by then twenty may be under way; afterwards one each time it lets one through to see, which it does
    // within the first step as well where that takes long.
    const sent = (await stage.requestTimes('google')).length;
    const timesTried = (performance.now() - startedAt) / BREAKER_RESET_MS;
    expect(atOpening).toBeLessThanOrEqual(30 + Math.floor(openedMs / BREAKER_RESET_MS));
    expect(sent - atOpening).toBeLessThanOrEqual(timesTried);
    const { attempts, dead, waiting, parked } = await effects();
    expect(attempts).toBe(sent);
    expect({ dead, parked, waiting }).toEqual({ dead: 0, parked: 0, waiting: CONNECTIONS * BOOKINGS_EACH });
    backlog = waiting;
  }, 120_000);

  test('does not change the lag of the other one', () => {
    expect([beside.flat().length, alone.flat().length]).toEqual(Array(2).fill((OUTAGE_STEPS * CONNECTIONS) / 4));
    // Of the steps the middle one: a moment in which the machine did something else is no answer.
    const typical = (steps: readonly number[][], share: number) =>
      percentile(
        steps.map((lags) => percentile(lags, share)),
        0.5,
      );
    expect(typical(beside, 0.5)).toBeLessThanOrEqual(2 * typical(alone, 0.5) + 50);
    expect(typical(beside, 0.95)).toBeLessThanOrEqual(2 * typical(alone, 0.95) + 150);
  });

  test('is caught up with by itself, and not by a herd: no second sees more requests than the budget', async () => {
    await stage.order('DELETE', '/faults');
    await stage.order('DELETE', '/requests');
    // Whatever wait a failed attempt was given is over.
    await stage.pass(7_200);
    await sleep(BREAKER_RESET_MS + 50);
    for (let look = 0; (await effects()).waiting > 0; look += 1) {
      if (look > 60) throw new Error(`after ${look} looks ${(await effects()).waiting} bookings are not written`);
      await stage.work();
      await stage.pass(10);
      await sleep(20);
    }
    const times = await stage.requestTimes('google');
    expect(times.length).toBeGreaterThanOrEqual(backlog);
    // What lies ready after a silence is a second's share, and so is what comes in during that second.
    expect(mostInOneSecond(times)).toBeLessThanOrEqual(2 * REQUESTS_PER_SECOND + 1);
    expect(await breakerState('google')).toBe(0);
    expect(await effects()).toMatchObject({ attempts: 0, dead: 0, waiting: 0 });
    const { entries } = await stage.order<{ entries: { operation: string }[] }>(
      'GET',
      '/history?calendar_provider=google',
    );
    expect(entries.filter(({ operation }) => operation === 'create')).toHaveLength(backlog);
  }, 120_000);
});
