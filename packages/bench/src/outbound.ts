/** Bookings into calendars by a whole outbound worker, against a bare loop of the same client. */
import { randomUUID } from 'node:crypto';
import { makeBookingEvent, openBookingDesk, waitUntil } from '@bookiji/local-fleet';
import { createProviderEdges } from '@bookiji/providers/adapters';
import { composePort, withTimeout } from '@bookiji/providers/policies';
import { creationKey, icalUidOf } from '@bookiji/sync';
import { type Cast, type ConnectedCalendar, openCast } from './cast.ts';
import { type Bench, median, round } from './figures.ts';

/** As many as a worker has places. */
const CONCURRENCY = 20;
const CALENDARS = 100;
const BOOKINGS = 2_000;
const ROUNDS = 3;
/** Far quicker than a calendar provider answers a write, so that what is ours weighs more than it will. */
const LATENCY_MS = 50;
const NO_LIMIT = '100000000';
const never = new AbortController().signal;

export const outboundBench: Bench = {
  name: 'outbound',
  about: `bookings a second into ${CALENDARS} calendars, ${CONCURRENCY} at a time, a write answered after ${LATENCY_MS} ms; against a bare loop of the same client`,
  async run(stage) {
    const cast = await openCast(stage, {
      PROVIDER_REQUESTS_PER_MINUTE: NO_LIMIT,
      BACKOFF_BASE_SECONDS: '1',
      BACKOFF_MAX_SECONDS: '2',
    });
    const desk = openBookingDesk(cast.environment);
    try {
      const calendars: ConnectedCalendar[] = [];
      for (let one = 0; one < CALENDARS; one += 1) calendars.push(await cast.connect());
      const bare = await createBareLoop(cast, calendars);
      await Promise.all([cast.start('outbound-worker'), cast.start('retry-worker')]);
      const publish = (bookingIds: readonly string[]) =>
        desk.publish(...bookingIds.map((id, index) => eventOf(id, calendars[index % CALENDARS] as ConnectedCalendar)));
      const speeds = {
        bare: [] as number[],
        worker: [] as number[],
        bareAtOnce: [] as number[],
        workerAtOnce: [] as number[],
      };
      for (let at = 0; at <= ROUNDS; at += 1) {
        for (const latencyMs of [LATENCY_MS, 0]) {
          await cast.sandbox.order('PUT', '/settings', { google: { latency_ms: latencyMs } });
          const loop = await measure(cast, bare);
          const worker = await measure(cast, publish);
          stage.say(`answered after ${latencyMs} ms: bare ${Math.round(loop)}/s, worker ${Math.round(worker)}/s`);
          // The first round warms all of it up.
          if (at === 0) continue;
          (latencyMs === 0 ? speeds.bareAtOnce : speeds.bare).push(loop);
          (latencyMs === 0 ? speeds.workerAtOnce : speeds.worker).push(worker);
        }
      }
      const perSecond = (name: string, values: readonly number[]) => ({
        name,
        value: Math.round(median(values)),
        unit: '1/s',
      });
      return {
        figures: [
          perSecond('bare loop', speeds.bare),
          perSecond('worker', speeds.worker),
          perSecond('bare loop, answered at once', speeds.bareAtOnce),
          perSecond('worker, answered at once', speeds.workerAtOnce),
          {
            name: 'worker / bare loop, answered at once',
            value: round(median(speeds.workerAtOnce) / median(speeds.bareAtOnce)),
            unit: '',
          },
        ],
        ratios: [
          {
            name: 'worker / bare loop',
            value: round(median(speeds.worker) / median(speeds.bare)),
            target: { atLeast: 0.6 },
          },
        ],
      };
    } finally {
      await desk.close();
      await cast.close();
    }
  },
};

/** From the first booking to the moment when all of them stand in the calendars; bookings a second. */
async function measure(cast: Cast, write: (bookingIds: readonly string[]) => Promise<void>): Promise<number> {
  const before = await countWrites(cast);
  const startedAt = performance.now();
  await write(Array.from({ length: BOOKINGS }, () => randomUUID()));
  await waitUntil(
    'every booking to be written',
    async () => (await countWrites(cast)) >= before + BOOKINGS,
    120_000,
    10,
  );
  return BOOKINGS / ((performance.now() - startedAt) / 1_000);
}

/** The history's own counter, without the history. */
async function countWrites({ sandbox }: Cast): Promise<number> {
  return (await sandbox.order<{ last_sequence: number }>('GET', '/history?limit=0')).last_sequence;
}

function slotOf(index: number) {
  const start = new Date(Date.now() + (24 + (index % 400)) * 3_600_000);
  return { start: start.toISOString(), end: new Date(start.getTime() + 3_600_000).toISOString() };
}

function eventOf(bookingId: string, { providerId }: ConnectedCalendar) {
  const index = Number.parseInt(bookingId.slice(0, 6), 16);
  return makeBookingEvent({ bookingId, providerId, version: 1, type: 'booking.created', slot: slotOf(index) });
}

/** The adapter with its time limit, and nothing else: no database, no queue, no record of what was done. */
async function createBareLoop(cast: Cast, calendars: readonly ConnectedCalendar[]) {
  const { google } = createProviderEdges(cast.environment as never);
  const ports = await Promise.all(
    calendars.map(async ({ connectionId, email }) => {
      const { access_token: token } = await cast.sandbox.order<{ access_token: string }>('POST', '/grants', {
        calendar_provider: 'google',
        email,
        client_id: cast.environment.GOOGLE_CLIENT_ID,
      });
      const tokens = { accessToken: async () => token, rejected: () => undefined };
      return composePort(google.adapter.open({ connectionId, calendarId: 'primary', tokens }), withTimeout(8_000));
    }),
  );
  return async (bookingIds: readonly string[]) => {
    const next = bookingIds.entries();
    const work = async () => {
      for (const [index, bookingId] of next) {
        const { connectionId, providerId } = calendars[index % CALENDARS] as ConnectedCalendar;
        const { start, end } = slotOf(index);
        const draft = {
          key: creationKey(bookingId, connectionId, 0),
          marker: { bookingId, connectionId, generation: 0, version: 1 },
          icalUid: icalUidOf(bookingId, providerId, 'google'),
          title: 'Haircut (Bookiji)',
          description: null,
          location: null,
          startAt: new Date(start),
          endAt: new Date(end),
          timeZone: 'America/Toronto',
        };
        await ports[index % CALENDARS]?.createEvent(draft, never);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  };
}
