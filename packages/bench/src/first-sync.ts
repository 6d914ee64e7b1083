/** A first sync of a large calendar against fetching and parsing the same pages, and what a worker's memory does meanwhile. */
import { readFileSync } from 'node:fs';
import { type Cast, type ConnectedCalendar, openCast } from './cast.ts';
import { type Bench, median, round } from './figures.ts';
import { createReader, createSyncer } from './sync-in-process.ts';

const EVENTS = 20_000;
const MANY_EVENTS = 100_000;
const ROUNDS = 5;
const MINUTES_IN_WINDOW = 88 * 24 * 60;

export const firstSyncBench: Bench = {
  name: 'first-sync',
  about: `a first sync of ${EVENTS} events against fetching and parsing the same pages; a worker's memory at ${MANY_EVENTS}`,
  async run(stage) {
    const cast = await openCast(stage);
    try {
      const times = await compare(cast, stage.say);
      const grownMb = await measureMemory(cast, stage.say);
      const [sync, plain] = [median(times.sync), median(times.plain)];
      return {
        figures: [
          { name: `fetching and parsing ${EVENTS} events`, value: Math.round(plain), unit: 'ms' },
          { name: `first sync of ${EVENTS} events`, value: Math.round(sync), unit: 'ms' },
        ],
        ratios: [
          { name: 'first sync / fetching and parsing', value: round(sync / plain), target: { atMost: 1.5 } },
          {
            name: `worker memory grown by ${MANY_EVENTS} events (MB)`,
            value: round(grownMb, 1),
            target: { atMost: 64 },
          },
        ],
      };
    } finally {
      await cast.close();
    }
  },
};

async function compare(cast: Cast, say: (line: string) => void) {
  const calendar = await cast.connect();
  await fill(cast, calendar, EVENTS);
  const sync = createSyncer(cast);
  const readAll = createReader(cast);
  const times = { plain: [] as number[], sync: [] as number[] };
  for (let at = 0; at <= ROUNDS; at += 1) {
    const plain = await timed(() => readAll(calendar.connectionId));
    await cast.database.sql`
      UPDATE external_calendar_connections SET sync_cursor = NULL, last_synced_at = NULL, requested = requested + 1
       WHERE id = ${calendar.connectionId}`;
    await cast.database.sql`TRUNCATE external_calendar_events`;
    const synced = await timed(() => sync(calendar.connectionId));
    say(`plain ${Math.round(plain.ms)} ms, first sync ${Math.round(synced.ms)} ms`);
    if (plain.value !== synced.value.putCount) {
      throw new Error(`${plain.value} events were fetched, but ${synced.value.putCount} stored`);
    }
    // The first round warms both up.
    if (at === 0) continue;
    times.plain.push(plain.ms);
    times.sync.push(synced.ms);
  }
  return times;
}

/** Of a real worker process: its peak during the sync beyond what it had after a small one. */
async function measureMemory(cast: Cast, say: (line: string) => void): Promise<number> {
  const small = await cast.connect();
  await fill(cast, small, 500);
  const large = await cast.connect();
  await cast.database.sql`
    UPDATE external_calendar_connections SET sync_enabled = false WHERE id = ${large.connectionId}`;
  await fill(cast, large, MANY_EVENTS);
  const [worker] = await Promise.all([cast.start('inbound-worker'), cast.start('retry-worker')]);
  await cast.settled([small.connectionId], 60_000);
  const before = residentMb(worker.pid, 'VmHWM');
  await cast.database.sql`
    UPDATE external_calendar_connections SET sync_enabled = true WHERE id = ${large.connectionId}`;
  const synced = await timed(() => cast.settled([large.connectionId], 120_000));
  const after = residentMb(worker.pid, 'VmHWM');
  const [row] = await cast.database.sql`
    SELECT count(*) AS n FROM external_calendar_events WHERE connection_id = ${large.connectionId}`;
  if (Number(row?.n) !== MANY_EVENTS) throw new Error(`${row?.n} of ${MANY_EVENTS} events were stored`);
  say(
    `${MANY_EVENTS} events in ${round(synced.ms / 1000, 1)} s; peak ${round(before)} MB before, ${round(after)} MB after`,
  );
  return after - before;
}

async function fill(cast: Cast, { email }: ConnectedCalendar, count: number): Promise<void> {
  await cast.sandbox.order('POST', `/calendars/google/${encodeURIComponent(email)}/events/fill`, {
    count,
    from: new Date(Date.now() + 3_600_000).toISOString(),
    spacing_minutes: Math.max(1, MINUTES_IN_WINDOW / count),
    duration_minutes: 30,
  });
}

function residentMb(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  const line = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const startedAt = performance.now();
  const value = await work();
  return { value, ms: performance.now() - startedAt };
}
