/** Bookings into calendars by a whole outbound worker, against a bare loop of the same client. */
import { randomUUID } from 'node:crypto';
import { makeBookingEvent, openBookingDesk, waitUntil } from '@bookiji/local-fleet';
import { createProviderEdges } from '@bookiji/providers/adapters';
import { composePort, withTimeout } from '@bookiji/providers/policies';
import { creationKey, icalUidOf } from '@bookiji/sync';
import { type Cast, type ConnectedCalendar, openCast } from './cast.ts';
import { watchCpu } from './cpu-time.ts';
import { type Bench, median, round } from './figures.ts';

/** As many as a worker has places. */
const CONCURRENCY = 20;
const CALENDARS = 100;
const BOOKINGS = 1_000;
const ROUNDS = 3;
/** Far quicker than a calendar provider answers a write, so that what is ours weighs more than it will. */
const LATENCY_MS = 50;
const NO_LIMIT = '100000000';
const never = new AbortController().signal;

export const outboundBench: Bench = {
  name: 'outbound',
  about: `bookings a second into ${CALENDARS} calendars, ${CONCURRENCY} at a time, a write answered after ${LATENCY_MS} ms; against a bare loop of the same client`,
  async run(stage) {
    const cast = await openCast(stage, { PROVIDER_REQUESTS_PER_MINUTE: NO_LIMIT });
    const desk = openBookingDesk(cast.environment);
    try {
      const calendars = await connectMany(cast);
      const bare = await createBareLoop(cast, calendars);
      const [worker] = await Promise.all([cast.start('outbound-worker'), cast.start('retry-worker')]);
      await cast.sandbox.order('PUT', '/settings', { google: { latency_ms: LATENCY_MS } });
      // What comes back is the other direction's work, on either side.
      await cast.sandbox.order('POST', '/notification-faults', { action: 'drop' });
      const publish = (bookingIds: readonly string[]) =>
        desk.publish(...bookingIds.map((id, index) => eventOf(id, calendars[index % CALENDARS] as ConnectedCalendar)));
      const pids = { itself: worker.pid, PostgreSQL: stage.pids.postgres, Redis: stage.pids.redis };
      const reports: Record<'bare' | 'worker', Report[]> = { bare: [], worker: [] };
      // In turns, so that whatever slows the machine for a while slows both; the first round warms all of it up.
      for (let at = 0; at <= ROUNDS; at += 1) {
        const sides = {
          bare: await measure(cast, bare, { itself: process.pid }),
          worker: await measure(cast, publish, pids),
        };
        for (const name of ['bare', 'worker'] as const) {
          stage.say(`${name}: ${describe(sides[name])}`);
          if (at > 0) reports[name].push(sides[name]);
        }
      }
      return summarize(reports);
    } finally {
      await desk.close();
      await cast.close();
    }
  },
};

interface Report {
  readonly perSecond: number;
  /** Microseconds of CPU time a booking. */
  readonly cpu: Readonly<Record<string, number>>;
}

function describe({ perSecond, cpu }: Report): string {
  const times = Object.entries(cpu).map(([name, micros]) => `${micros} µs ${name}`);
  return `${Math.round(perSecond)}/s; CPU a booking: ${times.join(', ')}`;
}

function summarize(reports: Readonly<Record<'bare' | 'worker', readonly Report[]>>) {
  const cpu = (name: string) => median(reports.worker.map((report) => report.cpu[name] ?? Number.NaN));
  const speed = (name: keyof typeof reports) => median(reports[name].map(({ perSecond }) => perSecond));
  return {
    figures: [
      ...(['bare', 'worker'] as const).map((name) => ({ name, value: Math.round(speed(name)), unit: '1/s' })),
      ...['itself', 'PostgreSQL', 'Redis'].map((name) => ({
        name: `CPU time a booking, ${name === 'itself' ? 'worker' : name}`,
        value: cpu(name),
        unit: 'µs',
      })),
    ],
    ratios: [{ name: 'worker / bare loop', value: round(speed('worker') / speed('bare')), target: { atLeast: 0.6 } }],
  };
}

async function connectMany(cast: Cast): Promise<ConnectedCalendar[]> {
  const calendars: ConnectedCalendar[] = [];
  while (calendars.length < CALENDARS) {
    calendars.push(...(await Promise.all(Array.from({ length: 10 }, () => cast.connect()))));
  }
  return calendars;
}

/** From the first booking to the moment when all of them stand in the calendars. */
async function measure(
  cast: Cast,
  write: (bookingIds: readonly string[]) => Promise<void>,
  pids: Readonly<Record<string, number>>,
): Promise<Report> {
  const readCpu = watchCpu({ ...pids, sandbox: cast.pids.sandbox ?? 0 });
  const written = await countWrites(cast);
  const startedAt = performance.now();
  await write(Array.from({ length: BOOKINGS }, () => randomUUID()));
  const areWritten = async () => (await countWrites(cast)) >= written + BOOKINGS;
  await waitUntil('every booking to be written', areWritten, 120_000, 20);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { perSecond: BOOKINGS / seconds, cpu: readCpu(BOOKINGS) };
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
