/** A day of ten thousand providers within ten minutes, or a part of both, by a whole fleet; then every calendar is checked. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openBookingDesk, waitUntil } from '@bookiji/local-fleet';
import { type Cast, openCast } from '../cast.ts';
import { watchCpu } from '../cpu-time.ts';
import { type Bench, percentile, round } from '../figures.ts';
import { auditCalendars } from './audit-calendars.ts';
import { connectDirectly } from './connect-directly.ts';
import { planLoad } from './plan-load.ts';
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
      const readCpu = watchCpu({ ...pidsOf(cast), PostgreSQL: stage.pids.postgres, Redis: stage.pids.redis });
      const receivedBefore = await countDeliveries(cast);
      const startedAt = performance.now();
      const played = await playLoad(cast, desk, calendars, planLoad(wish, Math.random));
      const lags = await readLags(cast, played);
      const seconds = (lags.doneAt - startedAt) / 1_000;
      const cpu = Object.entries(readCpu(1)).map(([name, micros]) => [name, round(micros / 1e6, 1)] as const);
      const received = (await countDeliveries(cast)) - receivedBefore;
      const runs = await countRuns(cast);
      const audit = await auditCalendars(cast, calendars, played.slots);
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
          { name: 'change lag p50', value: round(percentile(lags.changes, 0.5), 0), unit: 'ms' },
          { name: 'booking lag p50', value: round(percentile(lags.bookings, 0.5), 0), unit: 'ms' },
          { name: 'booking lag p99', value: round(percentile(lags.bookings, 0.99), 0), unit: 'ms' },
        ],
        ratios: [
          {
            name: 'time / planned time',
            value: round(seconds / wish.seconds),
            target: { atMost: 1 + round(5 / wish.seconds) },
          },
          {
            name: 'change lag p99 (ms)',
            value: round(percentile(lags.changes, 0.99), 0),
            target: { atMost: 2_000 },
          },
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

function pidsOf({ pids }: Cast): Record<string, number> {
  return Object.fromEntries(Object.entries(pids).map(([role, pid]) => [role, pid ?? 0]));
}

async function countDeliveries({ database }: Cast): Promise<number> {
  return Number((await database.sql`SELECT count(*) AS n FROM deliveries`)[0]?.n);
}

async function countRuns({ database }: Cast): Promise<number> {
  return Number((await database.sql`SELECT count(*) AS n FROM sync_runs WHERE mode = 'incremental'`)[0]?.n);
}

/** From the last edit to the commit of what it led to, by the server's own record. Waits until nothing is left to do. */
async function readLags({ database: { sql } }: Cast, { changedAt, bookedAt }: PlayedLoad) {
  const isDone = async () => {
    const [row] = await sql`
      SELECT (SELECT count(*) FROM booking_effects WHERE applied_version = version) AS written,
             (SELECT count(*) FROM external_calendar_connections WHERE sync_needed) AS due`;
    return Number(row?.written) === bookedAt.size && Number(row?.due) === 0;
  };
  await waitUntil('everything to be done', isDone, CATCH_UP_MS, 200);
  const doneAt = performance.now();
  // A notification may still have been on its way.
  await sleep(SETTLE_MS);
  await waitUntil('everything to be done', isDone, CATCH_UP_MS, 200);
  const rows = await sql`
    SELECT external_event_id AS id, booking_id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS committed
      FROM external_calendar_events`;
  const lags = { changes: [] as number[], bookings: [] as number[] };
  for (const { id, booking_id: bookingId, committed } of rows) {
    const saidAt = bookingId === null ? changedAt.get(id) : bookedAt.get(bookingId);
    if (saidAt !== undefined) lags[bookingId === null ? 'changes' : 'bookings'].push(Number(committed) - saidAt);
  }
  if (lags.changes.length !== changedAt.size) {
    throw new Error(`${changedAt.size - lags.changes.length} of ${changedAt.size} changes never became busy time`);
  }
  return { ...lags, doneAt };
}
