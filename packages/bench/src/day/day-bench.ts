/** A day of ten thousand providers within ten minutes, or a part of both, by a whole fleet; then every calendar is checked. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openBookingDesk, waitUntil } from '@bookiji/local-fleet';
import { percentile } from '@bookiji/testing';
import { type Cast, openCast } from '../cast.ts';
import { watchCpu } from '../cpu-time.ts';
import { type Bench, round } from '../figures.ts';
import { auditCalendars } from './audit-calendars.ts';
import { connectDirectly } from './connect-directly.ts';
import { type LoadWish, planLoad } from './plan-load.ts';
import { type PlayedLoad, playLoad } from './play-load.ts';

const WHOLE = { calendars: 10_000, notifications: 100_000, bookings: 30_000, seconds: 600 };
const SETTINGS = {
  PROVIDER_REQUESTS_PER_MINUTE: '1000000',
  // As docs/capacity.md advises from 3,000 connections on.
  RECONCILE_INTERVAL_SECONDS: '3600',
};
const PROVIDER_MS = 50;
/** What is left to do when the last order was given. */
const CATCH_UP_MS = 120_000;
const SETTLE_MS = 1_000;
/** Played before the clock runs, at the day's own pace: what a process does for the first time is no measure. */
const WARM_UP_SECONDS = 15;

export const dayBench: Bench = {
  name: 'day',
  about: `a day of ${WHOLE.calendars} providers at both calendar providers in ${WHOLE.seconds} s, or of --scale times as many in --scale times as long`,
  async run(stage) {
    const wish = {
      calendars: Math.ceil(WHOLE.calendars * stage.scale),
      notifications: Math.ceil(WHOLE.notifications * stage.scale),
      bookings: Math.ceil(WHOLE.bookings * stage.scale),
      seconds: WHOLE.seconds * stage.scale,
    };
    const cast = await openCast(stage, SETTINGS);
    const desk = openBookingDesk(cast.environment);
    try {
      await Promise.all([cast.start('inbound-worker'), cast.start('outbound-worker'), cast.start('retry-worker')]);
      const calendars = await connectDirectly(cast, desk.queues, wish.calendars, stage.say);
      const latency = { latency_ms: PROVIDER_MS };
      await cast.sandbox.order('PUT', '/settings', { google: latency, microsoft: latency });
      const warmUp = await playLoad(cast, desk, calendars, planLoad(partOf(wish, WARM_UP_SECONDS), Math.random));
      await untilDone(cast, warmUp.bookedAt.size);
      // A server that has run for a while knows how large its tables are.
      await analyze(cast);
      stage.say('the fleet is warm; the day begins');
      const before = { received: await countDeliveries(cast), runs: await countRuns(cast) };
      const readCpu = watchCpu({ ...pidsOf(cast), PostgreSQL: stage.pids.postgres, Redis: stage.pids.redis });
      const startedAt = performance.now();
      const played = await playLoad(cast, desk, calendars, planLoad(wish, Math.random), stage.say);
      const undone = await untilDone(cast, warmUp.bookedAt.size + played.bookedAt.size);
      const seconds = (performance.now() - startedAt) / 1_000;
      const cpu = Object.entries(readCpu(1)).map(([name, micros]) => [name, round(micros / 1e6, 1)] as const);
      const received = (await countDeliveries(cast)) - before.received;
      const runs = (await countRuns(cast)) - before.runs;
      const lags = await readLags(cast, played);
      for (const line of describeLags(lags.changes)) stage.say(line);
      const audit = await auditCalendars(cast, calendars, new Map([...warmUp.slots, ...played.slots]));
      stage.say(`audit: ${JSON.stringify(audit)}`);
      return {
        figures: [
          { name: 'scale', value: stage.scale, unit: '' },
          { name: 'calendars', value: audit.calendars, unit: '' },
          { name: 'notifications', value: received, unit: '' },
          { name: 'bookings', value: audit.bookings, unit: '' },
          { name: 'syncs', value: runs, unit: '' },
          { name: 'time to play it and catch up', value: round(seconds, 1), unit: 's' },
          { name: 'orders that the sandbox left unanswered', value: played.unanswered, unit: '' },
          { name: 'latest order given late by', value: round(played.latestMs, 0), unit: 'ms' },
          ...cpu.map(([name, value]) => ({ name: `CPU time, ${name}`, value, unit: 's' })),
          { name: 'change lag p50', value: round(percentile(lags.changes.map(toMs), 0.5), 0), unit: 'ms' },
          { name: 'booking lag p50', value: round(percentile(lags.bookings.map(toMs), 0.5), 0), unit: 'ms' },
          { name: 'booking lag p99', value: round(percentile(lags.bookings.map(toMs), 0.99), 0), unit: 'ms' },
        ],
        ratios: [
          {
            name: 'time / planned time',
            value: round(seconds / wish.seconds),
            target: { atMost: 1 + round(5 / wish.seconds) },
          },
          {
            name: 'change lag p99 (ms)',
            value: round(percentile(lags.changes.map(toMs), 0.99), 0),
            target: { atMost: 2_000 },
          },
          { name: 'pieces of work left undone', value: undone, target: { atMost: 0 } },
          { name: 'changes that never became busy time', value: lags.lost, target: { atMost: 0 } },
          { name: 'intervals that differ from the calendar', value: audit.wrongIntervals, target: { atMost: 0 } },
          { name: 'bookings without exactly one event', value: audit.wrongBookings, target: { atMost: 0 } },
        ],
      };
    } finally {
      await desk.close();
      await cast.close();
    }
  },
};

const toMs = ({ ms }: Lag) => ms;

/** When it was said, milliseconds since 1970, and how long it took. */
interface Lag {
  readonly saidAt: number;
  readonly ms: number;
}

/** A line for each tenth of the day: whether it is slow throughout, or only when most happens. */
function describeLags(lags: readonly Lag[]): string[] {
  const from = lags.reduce((least, { saidAt }) => Math.min(least, saidAt), Number.POSITIVE_INFINITY);
  const tenthMs = (lags.reduce((most, { saidAt }) => Math.max(most, saidAt), from) + 1 - from) / 10;
  return Array.from({ length: 10 }, (_, tenth) => {
    const some = lags.filter(({ saidAt }) => Math.floor((saidAt - from) / tenthMs) === tenth).map(({ ms }) => ms);
    const [half, most] = [percentile(some, 0.5), percentile(some, 0.99)].map((ms) => round(ms, 0));
    return `tenth ${tenth + 1}: ${some.length} changes, lag p50 ${half} ms, p99 ${most} ms`;
  });
}

function pidsOf({ pids }: Cast): Record<string, number> {
  return Object.fromEntries(Object.entries(pids).map(([role, pid]) => [role, pid ?? 0]));
}

async function analyze({ database: { sql } }: Cast): Promise<void> {
  const session = await sql.reserve();
  await session`SET statement_timeout = 0`;
  await session`VACUUM ANALYZE`;
  await session`RESET statement_timeout`;
  session.release();
}

async function countDeliveries({ database }: Cast): Promise<number> {
  return Number((await database.sql`SELECT count(*) AS n FROM deliveries`)[0]?.n);
}

async function countRuns({ database }: Cast): Promise<number> {
  return Number((await database.sql`SELECT count(*) AS n FROM sync_runs WHERE mode = 'incremental'`)[0]?.n);
}

/** As much of everything as belongs to so many seconds. */
function partOf(wish: LoadWish, seconds: number): LoadWish {
  const share = Math.min(1, seconds / wish.seconds);
  const { calendars } = wish;
  const part = (count: number) => Math.ceil(count * share);
  return {
    calendars,
    notifications: part(wish.notifications),
    bookings: part(wish.bookings),
    seconds: wish.seconds * share,
  };
}

/** Waits until nothing is left to do, for a time. @returns how many pieces of work are left. */
async function untilDone({ database: { sql } }: Cast, bookings: number): Promise<number> {
  const countLeft = async () => {
    const [row] = await sql`
      SELECT (SELECT count(*) FROM booking_effects WHERE applied_version = version) AS written,
             (SELECT count(*) FROM external_calendar_connections WHERE sync_needed) AS due`;
    return bookings - Number(row?.written) + Number(row?.due);
  };
  const wait = () =>
    waitUntil('everything to be done', async () => (await countLeft()) === 0, CATCH_UP_MS, 200).catch(() => undefined);
  await wait();
  // A notification may still have been on its way.
  await sleep(SETTLE_MS);
  await wait();
  return countLeft();
}

/** From the last edit to the commit of what it led to, by the server's own record. */
async function readLags({ database: { sql } }: Cast, { changedAt, bookedAt }: PlayedLoad) {
  const rows = await sql`
    SELECT external_event_id AS id, booking_id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS committed
      FROM external_calendar_events`;
  const lags = { changes: [] as Lag[], bookings: [] as Lag[] };
  for (const { id, booking_id: bookingId, committed } of rows) {
    const saidAt = bookingId === null ? changedAt.get(id) : bookedAt.get(bookingId);
    if (saidAt === undefined) continue;
    lags[bookingId === null ? 'changes' : 'bookings'].push({ saidAt, ms: Number(committed) - saidAt });
  }
  const lost = changedAt.size - lags.changes.length;
  return { ...lags, lost };
}
