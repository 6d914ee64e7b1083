/** From an owner's change to the committed interval, through a whole fleet, with a calendar provider that takes 50 ms. */
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '@bookiji/testing';
import { type Cast, type ConnectedCalendar, openCast } from './cast.ts';
import { watchCpu } from './cpu-time.ts';
import { type Bench, round } from './figures.ts';

const CALENDARS = 100;
const CHANGES_PER_SECOND = 50;
const SECONDS = 20;
const PROVIDER_MS = 50;

export const changeLagBench: Bench = {
  name: 'change-lag',
  about: `change made → busy interval committed, ${CHANGES_PER_SECOND} changes a second over ${CALENDARS} calendars, provider ${PROVIDER_MS} ms`,
  async run(stage) {
    const cast = await openCast(stage);
    try {
      await Promise.all([cast.start('inbound-worker'), cast.start('retry-worker')]);
      const calendars = await connectMany(cast, CALENDARS);
      await cast.sandbox.order('POST', '/faults', { operation: 'events.list', latency_ms: PROVIDER_MS });
      await changeAtPace(cast, calendars, 2 * CHANGES_PER_SECOND);
      const { 'inbound-worker': worker = 0, 'retry-worker': retry = 0, ingress = 0 } = cast.pids;
      const { postgres: PostgreSQL, redis: Redis } = stage.pids;
      const readCpu = watchCpu({ ingress, 'inbound worker': worker, 'retry worker': retry, PostgreSQL, Redis });
      const madeAt = await changeAtPace(cast, calendars, SECONDS * CHANGES_PER_SECOND);
      const lags = await readLags(cast, madeAt);
      const cpu = Object.entries(readCpu(lags.length));
      return {
        figures: [
          { name: 'changes', value: lags.length, unit: '' },
          ...cpu.map(([name, value]) => ({ name: `CPU time a change, ${name}`, value, unit: 'µs' })),
        ],
        ratios: [
          { name: 'lag p50 (ms)', value: round(percentile(lags, 0.5), 0), target: { atMost: 200 } },
          { name: 'lag p99 (ms)', value: round(percentile(lags, 0.99), 0), target: { atMost: 1_000 } },
        ],
      };
    } finally {
      await cast.close();
    }
  },
};

async function connectMany(cast: Cast, count: number): Promise<ConnectedCalendar[]> {
  const calendars: ConnectedCalendar[] = [];
  while (calendars.length < count) {
    calendars.push(...(await Promise.all(Array.from({ length: 10 }, () => cast.connect()))));
  }
  const ids = calendars.map(({ connectionId }) => connectionId);
  await cast.settled(ids, 60_000);
  await cast.watched(ids, 60_000);
  return calendars;
}

/** Adds events at an even pace, each to the next calendar. @returns when each was made, by its id, ms since 1970. */
async function changeAtPace(
  cast: Cast,
  calendars: readonly ConnectedCalendar[],
  count: number,
): Promise<Map<string, number>> {
  const madeAt = new Map<string, number>();
  const startedAt = performance.now();
  const underway: Promise<void>[] = [];
  for (let number = 0; number < count; number += 1) {
    const due = startedAt + (number * 1_000) / CHANGES_PER_SECOND;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    const calendar = calendars[number % calendars.length] as ConnectedCalendar;
    const start = new Date(Date.now() + (2 + number) * 3_600_000);
    underway.push(
      cast.sandbox
        .addEvent(calendar, {
          title: 'Dentist',
          start: start.toISOString(),
          end: new Date(start.getTime() + 1_800_000).toISOString(),
        })
        .then(({ id }) => void madeAt.set(id, Date.now())),
    );
  }
  await Promise.all(underway);
  return madeAt;
}

/** Commit times are the server's own record; both clocks are this machine's. */
async function readLags(cast: Cast, madeAt: ReadonlyMap<string, number>): Promise<number[]> {
  const ids = [...madeAt.keys()];
  const read = () => cast.database.sql`
    SELECT external_event_id AS id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS committed
      FROM external_calendar_events WHERE external_event_id IN ${cast.database.sql(ids)}`;
  for (let tries = 0; ; tries += 1) {
    const rows = await read();
    if (rows.length === ids.length) {
      return rows.map(({ id, committed }) => Number(committed) - (madeAt.get(String(id)) ?? Number.NaN));
    }
    if (tries > 100) throw new Error(`${ids.length - rows.length} of ${ids.length} changes never became busy time`);
    await sleep(200);
  }
}
