/** Whether cost depends on how many connections there are: of a sweep, of one change, of one question for free time. */
import { randomUUID } from 'node:crypto';
import { findDueConnections, findDueEffects, listBusyIntervals, requestDueReconciles, requestSync } from '@bookiji/db';
import type { CalendarPort, Change } from '@bookiji/providers/contract';
import { syncConnection } from '@bookiji/sync';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import postgres from 'postgres';
import { type Bench, median, round } from './figures.ts';

const DUE = 10;
const EVENTS_EACH = 10;
const ROUNDS = 300;
const NO_LISTS = { providerIds: null, connectionIds: null };
const HOUR_MS = 3_600_000;

export const scaleBench: Bench = {
  name: 'scale',
  about: 'a sweep, one change and one question for free time, with few and with 100,000 connections',
  async run({ say }) {
    const hundred = await measure(100, say);
    const thousand = await measure(1_000, say);
    const many = await measure(100_000, say);
    const ratio = (name: string, few: number, plenty: number, atMost: number) => ({
      name,
      value: round(plenty / few),
      target: { atMost },
    });
    return {
      figures: [
        { name: 'sweep, 100,000 connections', value: round(many.sweep), unit: 'ms' },
        { name: 'one change, 100,000 connections', value: round(many.change), unit: 'ms' },
        { name: 'one question, 100,000 connections', value: round(many.question), unit: 'ms' },
        { name: 'a connection on disk, without its intervals', value: many.bytesAConnection, unit: 'bytes' },
        { name: 'an interval on disk', value: many.bytesAnInterval, unit: 'bytes' },
      ],
      ratios: [
        ratio('sweep, 100,000 connections / 100', hundred.sweep, many.sweep, 1.5),
        ratio('one change, 100,000 connections / 1,000', thousand.change, many.change, 1.2),
        ratio('one question, 100,000 connections / 1,000', thousand.question, many.question, 1.5),
      ],
    };
  },
};

async function measure(connections: number, say: (line: string) => void) {
  const database = await createTestDatabase();
  try {
    const ids = await populate(database, connections);
    const sizes = await readSizes(database, connections);
    const sweep = await timeSweeps(database, ids);
    const change = await timeChanges(database, ids);
    const question = await timeQuestions(database);
    say(
      `${connections} connections: sweep ${round(sweep)} ms, change ${round(change)} ms, question ${round(question)} ms`,
    );
    return { sweep, change, question, ...sizes };
  } finally {
    await database.drop();
  }
}

/** Connections in step, each with a few intervals. @returns some of their ids. */
async function populate({ url }: TestDatabase, connections: number): Promise<string[]> {
  // The pool's limits for statements are not for this.
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql.begin(async (tx) => {
      // What is inserted here refers to what was inserted just before; a million looks would take as long as all the rest.
      await tx`SET LOCAL session_replication_role = replica`;
      await tx`
        INSERT INTO external_calendar_connections (id, provider_id, calendar_provider, applied, sync_cursor,
                                                   sync_window_start, sync_window_end, last_synced_at, reconcile_at)
        SELECT gen_random_uuid(), gen_random_uuid(), 'google', 1, 'cursor', now() - interval '1 day',
               now() + interval '90 days', now(), now() + interval '1 hour' FROM generate_series(1, ${connections}::int)`;
      await tx`
        INSERT INTO external_calendar_events (connection_id, provider_id, calendar_provider, external_event_id, start_time,
                                              end_time, is_busy, checksum)
        SELECT id, provider_id, 'google', 'event' || number, now() + number * interval '1 day',
               now() + number * interval '1 day' + interval '1 hour', true, 'none'
          FROM external_calendar_connections, generate_series(1, ${EVENTS_EACH}::int) AS number`;
    });
    await sql`VACUUM ANALYZE external_calendar_connections, external_calendar_events`;
    const rows = await sql`SELECT id FROM external_calendar_connections ORDER BY md5(id::text) LIMIT 100`;
    return rows.map((row) => String(row.id));
  } finally {
    await sql.end();
  }
}

/** With their indexes. */
async function readSizes({ sql }: TestDatabase, connections: number) {
  const [row] = await sql`
    SELECT pg_total_relation_size('external_calendar_connections')::float8 AS connections,
           pg_total_relation_size('external_calendar_events')::float8 AS events`;
  return {
    bytesAConnection: Math.round(row?.connections / connections),
    bytesAnInterval: Math.round(row?.events / (connections * EVENTS_EACH)),
  };
}

async function timeSweeps({ db, sql }: TestDatabase, ids: readonly string[]): Promise<number> {
  await requestSync(db, ids.slice(0, DUE), 'schedule');
  const times = await repeat(async () => {
    await requestDueReconciles(db, NO_LISTS, 300, 500);
    const due = await findDueConnections(db, NO_LISTS, 500);
    if (due.length !== DUE) throw new Error(`${due.length} connections are due instead of ${DUE}`);
    await findDueEffects(db, NO_LISTS, 500);
  });
  await sql`UPDATE external_calendar_connections SET applied = requested WHERE sync_needed`;
  return times;
}

/** One increment with one changed event, the calendar provider's part left out. */
async function timeChanges({ db }: TestDatabase, ids: readonly string[]): Promise<number> {
  let number = 0;
  const nextChange = () => {
    number += 1;
    return changeOf(number);
  };
  const deps = {
    db,
    openCalendar: () => portWith(nextChange),
    owner: 'bench',
    window: { pastDays: 1, futureDays: 90 },
    backoff: { baseSeconds: 300, maxSeconds: 21_600 },
    reconcileSeconds: 3_600,
    leaseMs: 60_000,
    random: Math.random,
  };
  return repeat(async (round) => {
    const id = ids[round % ids.length] as string;
    await requestSync(db, [id], 'schedule');
    const { outcome } = await syncConnection(deps, id, new AbortController().signal);
    if (outcome !== 'synced') throw new Error(`the sync ended as ${outcome}`);
  });
}

async function timeQuestions({ db, sql }: TestDatabase): Promise<number> {
  const rows = await sql`SELECT provider_id FROM external_calendar_connections ORDER BY md5(id::text) LIMIT 100`;
  const from = new Date();
  const to = new Date(from.getTime() + 7 * 24 * HOUR_MS);
  return repeat(async (round) => {
    const busy = await listBusyIntervals(db, String(rows[round % rows.length]?.provider_id), from, to);
    if (busy.length === 0) throw new Error('nothing is busy');
  });
}

function portWith(nextChange: () => Change): CalendarPort {
  return {
    listChanges: () => Promise.resolve({ changes: [nextChange()], unreadable: [], nextPage: null, cursor: 'cursor' }),
  } as unknown as CalendarPort;
}

function changeOf(number: number): Change {
  const startAt = new Date(Date.now() + number * HOUR_MS);
  return {
    kind: 'event',
    eventId: `changed-${randomUUID()}`,
    seriesId: null,
    icalUid: null,
    startAt,
    endAt: new Date(startAt.getTime() + HOUR_MS),
    blocks: true,
    etag: null,
    marker: null,
    creationKey: null,
  };
}

/** The median time of one, milliseconds, after a warm-up. */
async function repeat(work: (round: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS + 50; round += 1) {
    const startedAt = performance.now();
    await work(round);
    if (round >= 50) times.push(performance.now() - startedAt);
  }
  return median(times);
}
