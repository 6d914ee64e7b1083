/** A whole fleet at about half of what two cores carry, for an hour or as long as is wished: nothing may grow. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openBookingDesk, type Role, waitUntil } from '@bookiji/local-fleet';
import { percentile } from '@bookiji/testing';
import { Redis } from 'ioredis';
import { type Cast, type ConnectedCalendar, openCast } from '../cast.ts';
import { watchCpu } from '../cpu-time.ts';
import { auditCalendars } from '../day/audit-calendars.ts';
import { connectDirectly } from '../day/connect-directly.ts';
import { type Bench, type Figure, type Ratio, round, type Stage } from '../figures.ts';
import { judgeSeries } from './judge-series.ts';
import { keepPopulation, type Population } from './keep-population.ts';
import { type Series, type SeriesWatch, watchSeries } from './watch-series.ts';

const CALENDARS = 40;
const WISH = { events: 300, bookings: 150, perSecond: 45 };
const PROVIDER_MS = 50;
const SAMPLES = 60;
/** However slow the machine is just now. */
const FILL_MS = 600_000;
/** Between two looks at what swings fast. */
const PEEK_MS = 5_000;
/** How often everything that is kept for a time is turned over within a run. */
const RETENTIONS = 12;
const ROLES = ['ingress', 'inbound-worker', 'outbound-worker', 'retry-worker', 'ops'] as const satisfies Role[];

export const soakBench: Bench = {
  name: 'soak',
  about: `${WISH.perSecond} deeds a second in ${CALENDARS} calendars for --minutes minutes: memory, connections, tables and keys stay flat`,
  isVerdict: true,
  async run(stage) {
    const seconds = stage.minutes * 60;
    const retention = String(Math.max(10, Math.round(seconds / RETENTIONS)));
    const cast = await openCast(stage, {
      PROVIDER_REQUESTS_PER_MINUTE: '1000000',
      RETENTION_SECONDS: retention,
      BOOKING_RETENTION_SECONDS: retention,
      // Every calendar is held against the database as well, several times.
      AUDIT_INTERVAL_SECONDS: String(Math.max(60, Number(retention))),
    });
    const desk = openBookingDesk(cast.environment);
    const redis = new Redis(stage.redisUrl);
    try {
      for (const role of ROLES) if (role !== 'ingress') await cast.start(role);
      const calendars = await connectDirectly(cast, desk.queues, CALENDARS, stage.say);
      const latency = { latency_ms: PROVIDER_MS };
      await cast.sandbox.order('PUT', '/settings', { google: latency, microsoft: latency });
      const watch = watchSeries({
        processes: new Map(ROLES.map((role) => [role, cast.urlOf(role)])),
        sandboxPid: cast.pids.sandbox ?? 0,
        database: cast.database,
        redis,
        queuePrefix: cast.environment.QUEUE_PREFIX ?? '',
      });
      const wish = { ...WISH, perSecond: WISH.perSecond * stage.scale };
      const population = keepPopulation(cast, desk, calendars, wish);
      await waitUntil('the population to be complete', () => population.isComplete(), FILL_MS, 500);
      stage.say('the population is complete');
      const cores = await watchFor({ stage, cast, watch });
      await population.stop();
      return await report({ stage, cast, watch, calendars, population, cores });
    } finally {
      redis.disconnect();
      await desk.close();
      await cast.close();
    }
  },
};

interface WatchedRun {
  readonly stage: Stage;
  readonly cast: Cast;
  readonly watch: SeriesWatch;
}

interface EndedRun extends WatchedRun {
  readonly calendars: readonly ConnectedCalendar[];
  readonly population: Population;
  /** In use, by process. */
  readonly cores: Readonly<Record<string, number>>;
}

/** @returns cores in use over the half of the run that is judged, by process. */
async function watchFor({ stage, cast, watch }: WatchedRun): Promise<EndedRun['cores']> {
  const everyMs = (stage.minutes * 60_000) / SAMPLES;
  const startedAt = performance.now();
  const pids = Object.fromEntries(Object.entries(cast.pids).map(([role, pid]) => [role, pid ?? 0]));
  let judged = { readCpu: watchCpu({}), sinceMs: 0 };
  for (let at = 1; at <= SAMPLES; at += 1) {
    if (at === SAMPLES / 2) {
      const servers = { PostgreSQL: stage.pids.postgres, Redis: stage.pids.redis };
      judged = { readCpu: watchCpu({ ...pids, ...servers }), sinceMs: performance.now() };
    }
    for (;;) {
      const leftMs = startedAt + at * everyMs - performance.now();
      if (leftMs <= 0) break;
      await sleep(Math.min(leftMs, PEEK_MS));
      if (leftMs > PEEK_MS) await watch.peek();
    }
    await watch.read(performance.now() - startedAt);
    if (at % 10 === 0) stage.say(`${round((at * everyMs) / 60_000, 1)} of ${stage.minutes} minutes`);
  }
  const elapsed = (performance.now() - judged.sinceMs) * 1_000;
  return Object.fromEntries(Object.entries(judged.readCpu(1)).map(([name, micros]) => [name, micros / elapsed]));
}

async function report({ stage, cast, watch: { series }, calendars, population, cores }: EndedRun) {
  const { say, minutes } = stage;
  await waitUntil('everything to be done', () => isDone(cast), 120_000, 200);
  await sleep(1_000);
  await waitUntil('everything to be done', () => isDone(cast), 120_000, 200);
  const lags = await readLags(cast, population);
  const audit = await auditCalendars(cast, calendars, population.bookings);
  say(`audit: ${JSON.stringify(audit)}`);
  const ended = ROLES.filter((role) => !isAlive(cast.pids[role] ?? 0));
  const judged = judgeAll(series, minutes);
  const deeds = [...population.counts.values()].reduce((sum, count) => sum + count, 0);
  const total = Object.values(cores).reduce((sum, share) => sum + share, 0);
  const figures: Figure[] = [
    { name: 'minutes', value: minutes, unit: '' },
    { name: 'deeds', value: deeds, unit: '' },
    { name: 'deeds left unanswered', value: population.unanswered, unit: '' },
    { name: 'deeds left out while the machine stood still', value: population.leftOut, unit: '' },
    { name: 'cores in use, all together', value: round(total), unit: '' },
    ...Object.entries(cores).map(([name, share]) => ({ name: `cores in use, ${name}`, value: round(share), unit: '' })),
    { name: 'change lag p50, newest changes', value: round(percentile(lags, 0.5), 0), unit: 'ms' },
    { name: 'change lag p99, newest changes', value: round(percentile(lags, 0.99), 0), unit: 'ms' },
    ...judged.figures,
  ];
  const ratios: Ratio[] = [
    ...judged.ratios,
    { name: 'processes that ended', value: ended.length, target: { atMost: 0 } },
    { name: 'intervals that differ from the calendar', value: audit.wrongIntervals, target: { atMost: 0 } },
    { name: 'bookings that are not as was wished', value: audit.wrongBookings, target: { atMost: 0 } },
  ];
  return { figures, ratios, series: series.map(toRecord) };
}

/** What never changed is counted only. */
function judgeAll(series: readonly Series[], minutes: number): { figures: Figure[]; ratios: Ratio[] } {
  const figures: Figure[] = [];
  const ratios: Ratio[] = [];
  let still = 0;
  for (const { kind, of, readings } of series) {
    const name = `${kind.name}, ${of}`;
    const values = readings.map(({ value }) => value);
    if (kind.allow !== null && Math.min(...values) === Math.max(...values) && readings.length > SAMPLES / 2) {
      still += 1;
      continue;
    }
    if (kind.allow === null || minutes < (kind.fromMinutes ?? 0)) {
      figures.push({ name, value: round(percentile(values, 0.5)), unit: kind.unit });
      continue;
    }
    // What is not there at every reading (a key of an idle queue) was not there in between.
    const { isFlat, median, grown, allowed, grownADay, isTrend } = judgeSeries(
      fillIn(series, readings),
      kind.allow,
      kind,
    );
    figures.push({ name, value: round(median), unit: kind.unit });
    if (isTrend) figures.push({ name: `${name}, a day at its slope`, value: round(grownADay), unit: kind.unit });
    const share = round(Math.max(0, grown) / allowed);
    const value = isFlat ? Math.min(share, 1) : share;
    ratios.push({ name: `growth / allowed, ${name}`, value, target: { atMost: 1 } });
  }
  figures.push({ name: 'series that never changed', value: still, unit: '' });
  return { figures, ratios };
}

function fillIn(all: readonly Series[], readings: Series['readings']): Series['readings'] {
  const times = all.reduce((most, { readings: other }) => (other.length > most.length ? other : most), readings);
  const byTime = new Map(readings.map(({ atMs, value }) => [atMs, value]));
  return times.map(({ atMs }) => ({ atMs, value: byTime.get(atMs) ?? 0 }));
}

function toRecord({ kind, of, readings }: Series) {
  const points = readings.map(({ atMs, value }) => [round(atMs / 1_000, 1), round(value)] as const);
  return { name: `${kind.name}, ${of}`, unit: kind.unit, points };
}

async function isDone({ database: { sql } }: Cast): Promise<boolean> {
  const [row] = await sql`
    SELECT (SELECT count(*) FROM booking_effects WHERE applied_version < version OR inspected < inspect_requested)
         + (SELECT count(*) FROM external_calendar_connections WHERE sync_needed) AS due`;
  return Number(row?.due) === 0;
}

/** From an owner's last edit to its commit, of the events that are alive at the end. */
async function readLags({ database: { sql } }: Cast, { changedAt }: Population): Promise<number[]> {
  const rows = await sql`
    SELECT external_event_id AS id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS committed
      FROM external_calendar_events WHERE booking_id IS NULL`;
  return rows.flatMap(({ id, committed }) => {
    const saidAt = changedAt.get(String(id));
    return saidAt === undefined ? [] : [Number(committed) - saidAt];
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
