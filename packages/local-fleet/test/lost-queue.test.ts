/** Workers whose connection to the queue dies without a word, in a fleet of real processes. */
import { randomUUID } from 'node:crypto';
import { type RedisServer, type Relay, startRedis, startRelay } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../src/index.ts';
import {
  bookingAt,
  type ConnectedProvider,
  type RunningFleet,
  slotAt,
  startTestFleet,
  untilShown,
} from './fleet-harness.ts';

interface Health {
  readonly status: string;
  readonly queues: Readonly<Record<string, string>>;
}

const WORKERS = ['inbound-worker', 'outbound-worker', 'retry-worker'] as const;
// Left out where no Redis can be had; CI fails there instead (`scripts/test.ts`).
const suite = process.env.CALSYNC_TEST_REDIS === undefined ? describe.skip : describe;

suite('[R-2] a fleet behind a line that goes half-open', () => {
  let redis: RedisServer;
  let relay: Relay;
  let fleet: RunningFleet;
  let dana: ConnectedProvider;

  beforeAll(async () => {
    redis = (await startRedis()) as RedisServer;
    relay = await startRelay(redis.port);
    fleet = await startTestFleet({
      REDIS_URL: `redis://127.0.0.1:${relay.port}`,
      WORKER_LOST_AFTER_SECONDS: '5',
      // Nothing is found by sweeps in time: what is done below came through the queue.
      SWEEP_INTERVAL_MS: '600000',
    });
    dana = await fleet.connect('google');
  }, 180_000);
  afterAll(async () => {
    await fleet?.close();
    await relay?.close();
    await redis?.stop();
  }, 180_000);

  const health = async (role: (typeof WORKERS)[number]) => {
    const response = await fetch(`${fleet.urls[role]}/healthz`).catch(() => null);
    return response === null ? null : { status: response.status, body: (await response.json()) as Health };
  };

  test('shows in its health that canaries come through every worker’s queues', async () => {
    const untilHealthy = (role: (typeof WORKERS)[number]) =>
      waitUntil(`${role} to say that it is alive`, async () => {
        const said = await health(role);
        const isAlive = said !== null && Object.values(said.body.queues).every((state) => state === 'alive');
        return isAlive && { status: said.status, queues: Object.keys(said.body.queues).sort() };
      });
    expect(await untilHealthy('inbound-worker')).toEqual({ status: 200, queues: ['calendar-inbound-sync'] });
    expect(await untilHealthy('outbound-worker')).toEqual({
      status: 200,
      queues: ['calendar-booking-events', 'calendar-outbound-sync'],
    });
    for (const role of WORKERS) {
      const text = await (await fetch(`${fleet.urls[role]}/metrics`)).text();
      expect(text).toMatch(
        /^calendar_canary_last_success_timestamp_seconds\{queue="calendar-[a-z-]+",role="[a-z-]+"\} \d/m,
      );
    }
  });

  test('has every worker end with an error and come back, and the booking of that time is written', async () => {
    const before = new Map(fleet.supervisor.pids());
    relay.freezeOpen();
    const bookingId = randomUUID();
    const { status } = await fleet.ingress.request(
      'POST',
      '/api/calendar/booking-events',
      bookingAt(dana, bookingId, 1, 'booking.created', slotAt(4)),
    );
    expect(status).toBe(202);
    await waitUntil(
      'every worker to be another process',
      () => WORKERS.every((role) => ![undefined, before.get(role)].includes(fleet.supervisor.pids().get(role))),
      90_000,
    );
    for (const role of WORKERS) {
      expect(fleet.lines).toContainEqual({ role: 'fleet', line: expect.stringContaining(`${role} ended (code 1)`) });
      expect(fleet.lines).toContainEqual({ role, line: expect.stringContaining('nothing comes through calendar-') });
    }
    expect(fleet.supervisor.pids().get('ingress')).toBe(before.get('ingress'));
    await fleet.ready();
    // The first ring was lost with the line; the next version brings its own.
    const update = bookingAt(dana, bookingId, 2, 'booking.updated', slotAt(5));
    // Our own line to the queue went half-open as well; a booking event may be published as often as it takes.
    await waitUntil(
      'our own line to the queue',
      () =>
        fleet.desk.publish(update).then(
          () => true,
          () => false,
        ),
      90_000,
    );
    await untilShown(fleet, dana.calendar, bookingId, slotAt(5), 90_000);
  }, 180_000);
});
