/** Two versions, and two clocks, on one queue and one database. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QUEUE_NAMES } from '@bookiji/queues';
import { type RedisServer, startRedis } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { waitUntil } from '../../src/index.ts';
import {
  bookedEvents,
  bookingAt,
  type ConnectedProvider,
  type RunningFleet,
  slotAt,
  startTestFleet,
  untilFree,
  untilShown,
} from '../fleet-harness.ts';
import { checkOut, type FormerVersion, findFormerVersion } from './former-version.ts';
import { type Beside, type BesideOptions, startBeside } from './start-beside.ts';

const ROLES = ['inbound-worker', 'outbound-worker', 'retry-worker'] as const;
const BOOKINGS = 24;
/** Who stands still keeps its jobs, its leases and the next wake-up for some seconds each. */
const WITHIN_MS = 45_000;

let dir = '';
let redis: RedisServer;
let fleet: RunningFleet;
let dana: ConnectedProvider;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'calsync-beside-'));
  redis = (await startRedis(undefined, dir)) as RedisServer;
  fleet = await startTestFleet({ REDIS_URL: redis.url });
  dana = await fleet.connect('google');
}, 120_000);
afterAll(async () => {
  await fleet?.close();
  await redis?.stop();
  rmSync(dir, { recursive: true, force: true });
}, 60_000);

/** Both directions, many at once; each booking is written as one event, ever. */
async function playBothWays(): Promise<void> {
  const ids = Array.from({ length: BOOKINGS }, (): string => randomUUID());
  const own = await fleet.sandbox.addEvent(dana.calendar, { title: 'Dentist', ...slotAt(1) });
  await fleet.desk.publish(...ids.map((id) => bookingAt(dana, id, 1, 'booking.created', slotAt(30))));
  await fleet.desk.publish(...ids.map((id) => bookingAt(dana, id, 2, 'booking.updated', slotAt(32))));
  for (const id of ids) await untilShown(fleet, dana.calendar, id, slotAt(32), WITHIN_MS);
  await untilFree(fleet, dana.providerId, [slotAt(0), slotAt(1)], [slotAt(0)], WITHIN_MS);
  await fleet.sandbox.deleteEvent(dana.calendar, own.id);
  await untilFree(fleet, dana.providerId, [slotAt(0), slotAt(1)], [slotAt(0), slotAt(1)], WITHIN_MS);
  await fleet.desk.publish(...ids.map((id) => bookingAt(dana, id, 3, 'booking.cancelled', slotAt(32))));
  for (const id of ids) await untilShown(fleet, dana.calendar, id, null, WITHIN_MS);
  const { entries } = await fleet.sandbox.order<{ entries: { operation: string; title: string | null }[] }>(
    'GET',
    `/history?calendar=${encodeURIComponent(dana.calendar.email)}`,
  );
  const created = entries.filter(({ operation, title }) => operation === 'create' && ids.includes(title ?? ''));
  expect(created).toHaveLength(BOOKINGS);
}

async function besideFleet(options: BesideOptions, work: (others: readonly Beside[]) => Promise<void>): Promise<void> {
  const others: Beside[] = [];
  try {
    for (const role of ROLES) others.push(await startBeside(fleet, role, options));
    await work(others);
  } finally {
    await Promise.all(others.map((other) => other.stop()));
  }
}

/** The fleet's own workers stand still meanwhile, as in a deployment that has replaced none or all of them. */
async function withoutOwnWorkers(work: () => Promise<void>): Promise<void> {
  for (const role of ROLES) fleet.kill(role, 'SIGSTOP');
  try {
    await work();
  } finally {
    for (const role of ROLES) fleet.kill(role, 'SIGCONT');
  }
}

const worked = ({ lines }: Beside) => lines.filter((line) => line.includes('"outcome"')).length;

// Left out in a copy without history: the version before is taken from there.
const former = findFormerVersion();
(former === null ? describe.skip : describe)('the version before the newest migration, on the new schema', () => {
  let version: FormerVersion;
  beforeAll(() => {
    version = checkOut(former as NonNullable<typeof former>);
  });
  afterAll(() => version?.remove());

  test('[M-1] [R-2] works beside the new one, then alone, then the new one alone: nothing lost, nothing doubled', async () => {
    await besideFleet({ root: version.root }, async (others) => {
      await playBothWays();
      await withoutOwnWorkers(playBothWays);
      for (const other of others.slice(0, 2)) expect(worked(other)).toBeGreaterThan(0);
    });
    await playBothWays();
  }, 240_000);
});

describe('jobs of a version that is not known here yet', () => {
  test('[R-2] more fields are passed over, what is not understood is kept whole, and neither is in anybody’s way', async () => {
    const { queues } = fleet.desk;
    const later = { ...bookingAt(dana, randomUUID(), 1, 'booking.created', slotAt(30)), schema: 2, party_size: 4 };
    await queues.queue(QUEUE_NAMES.bookingEvents).add('booking.created', later);
    await queues
      .queue(QUEUE_NAMES.retry)
      .add('a task of tomorrow', { task: 'tomorrow', connection_id: dana.connectionId });
    await queues
      .queue(QUEUE_NAMES.inboundSync)
      .add('sync', { connection_id: dana.connectionId, why: 'a field of tomorrow' });
    const letter = await waitUntil('the letter', async () => {
      const [row] = await fleet.database.sql`
        SELECT payload, reason, replayed_at FROM dead_letters WHERE payload->>'event_id' = ${later.event_id}`;
      return row;
    });
    expect(letter).toMatchObject({ payload: later, replayed_at: null, reason: expect.stringContaining('schema') });
    await playBothWays();
  }, 120_000);
});

describe('[R-2] FP18: workers whose clock is five minutes off', () => {
  test.each([5, -5])(
    'by %i minutes work beside the others: nothing lost, nothing doubled',
    async (minutes) => {
      const file = join(dir, 'other-clock.mjs');
      writeFileSync(
        file,
        `const now = Date.now.bind(Date), Real = Date, off = ${minutes} * 60_000;
       globalThis.Date = class extends Real {
         constructor(...args) { super(...(args.length === 0 ? [now() + off] : args)); }
         static now() { return now() + off; }
       };`,
      );
      await besideFleet({ environment: { NODE_OPTIONS: `--import=${file}` } }, async (others) => {
        await playBothWays();
        await withoutOwnWorkers(playBothWays);
        for (const other of others.slice(0, 2)) expect(worked(other)).toBeGreaterThan(0);
      });
    },
    240_000,
  );
});

describe('[W-7] [R-2] a Redis that takes no writes', () => {
  test.each([
    ['FP22: since its disk is full', ['save', '1 1'], ['save', '']],
    ['FP23: since its memory is, under noeviction', ['maxmemory', '1mb'], ['maxmemory', '0']],
  ] as const)(
    '%s: bookings and changes are taken all the same, and done once when it takes them again',
    async (name, set, unset) => {
      const client = new Redis(redis.url);
      const refusal = name.startsWith('FP22') ? 'MISCONF' : 'OOM';
      const bookingId = randomUUID();
      try {
        // The folder it would write to is gone; to its clients that is the same as a full disk.
        if (refusal === 'MISCONF') rmSync(dir, { recursive: true });
        await client.config('SET', ...set);
        await waitUntil('a refused write', () =>
          client.set('any', 'thing').then(
            () => false,
            (error: Error) => error.message.startsWith(refusal),
          ),
        );
        const { status } = await fleet.ingress.request(
          'POST',
          '/api/calendar/booking-events',
          bookingAt(dana, bookingId, 1, 'booking.created', slotAt(40)),
        );
        expect(status).toBe(202);
        await fleet.sandbox.addEvent(dana.calendar, { title: 'Dentist', ...slotAt(2) });
        expect(await bookedEvents(fleet, dana.calendar, bookingId)).toEqual([]);
      } finally {
        await client.config('SET', ...unset);
        mkdirSync(dir, { recursive: true });
        await client.del('any').catch(() => 0);
        client.disconnect();
      }
      await untilShown(fleet, dana.calendar, bookingId, slotAt(40), WITHIN_MS);
      await untilFree(fleet, dana.providerId, [slotAt(0), slotAt(2)], [slotAt(0)], WITHIN_MS);
      await playBothWays();
    },
    120_000,
  );
});
