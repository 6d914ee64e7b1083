/** A question for a week's free time, against a bare SELECT of the same rows; and whether the calendar's size matters. */
import { randomUUID } from 'node:crypto';
import { answerAvailability } from '@bookiji/sync';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { type Bench, median, round } from './figures.ts';

const SIZES = [200, 20_000] as const;
const ROUNDS = 400;
const WARM_UP = 50;
const HOUR_MS = 3_600_000;
const SLOTS = 56;

export const availabilityBench: Bench = {
  name: 'availability',
  about: `a week of ${SLOTS} slots asked among ${SIZES.join(' or ')} intervals of 88 days, against a bare SELECT of the same rows`,
  async run({ say }) {
    const database = await createTestDatabase();
    try {
      const [small, large] = [await measure(database, SIZES[0]), await measure(database, SIZES[1])];
      for (const [size, { bare, answer }] of [[SIZES[0], small] as const, [SIZES[1], large] as const]) {
        say(`${size} intervals: bare ${round(bare)} ms, answer ${round(answer)} ms`);
      }
      return {
        figures: [
          { name: `bare SELECT among ${SIZES[1]}`, value: round(large.bare), unit: 'ms' },
          { name: `answer among ${SIZES[1]}`, value: round(large.answer), unit: 'ms' },
          { name: `answer / bare SELECT among ${SIZES[0]}`, value: round(small.answer / small.bare), unit: '' },
        ],
        ratios: [
          {
            name: `answer / bare SELECT among ${SIZES[1]}`,
            value: round(large.answer / large.bare),
            target: { atMost: 3 },
          },
        ],
      };
    } finally {
      await database.drop();
    }
  },
};

/** Medians of one of each, milliseconds, in turns. */
async function measure(database: TestDatabase, intervals: number) {
  const { sql, db } = database;
  const { providerId, connectionId } = await insertCalendar(database, intervals);
  const from = Date.now() + 30 * 24 * HOUR_MS;
  const to = from + 7 * 24 * HOUR_MS;
  const slots = Array.from({ length: SLOTS }, (_, at) => {
    const startAt = new Date(from + at * 3 * HOUR_MS);
    return { startAt, endAt: new Date(startAt.getTime() + 3 * HOUR_MS) };
  });
  const bare = () => sql`
    SELECT start_time, end_time FROM external_calendar_events
     WHERE connection_id = ${connectionId} AND is_busy AND booking_id IS NULL
       AND start_time < ${new Date(to).toISOString()} AND end_time > ${new Date(from).toISOString()} ORDER BY start_time`;
  const answer = () =>
    answerAvailability(db, { providerId, slots, maxAgeSeconds: 3_600 }, () => Promise.reject(new Error('it is fresh')));
  const times = { bare: [] as number[], answer: [] as number[] };
  for (let at = 0; at < WARM_UP + ROUNDS; at += 1) {
    const plain = await timed(bare);
    const asked = await timed(answer);
    if (plain.value.length === 0 || !asked.value.trusted) throw new Error('nothing is busy, or nothing is trusted');
    if (at < WARM_UP) continue;
    times.bare.push(plain.ms);
    times.answer.push(asked.ms);
  }
  return { bare: median(times.bare), answer: median(times.answer) };
}

async function insertCalendar({ sql }: TestDatabase, intervals: number) {
  const [providerId, connectionId] = [randomUUID(), randomUUID()];
  await sql`
    INSERT INTO external_calendar_connections (id, provider_id, calendar_provider, applied, sync_cursor, sync_window_start,
                                               sync_window_end, last_synced_at, reconcile_at)
    VALUES (${connectionId}, ${providerId}, 'google', 1, 'cursor', now() - interval '1 day', now() + interval '90 days',
            now(), now() + interval '1 hour')`;
  await sql`
    INSERT INTO external_calendar_events (connection_id, provider_id, calendar_provider, external_event_id, start_time,
                                          end_time, is_busy, checksum)
    SELECT ${connectionId}, ${providerId}, 'google', 'event' || number, at, at + interval '30 minutes', true, 'none'
      FROM generate_series(1, ${intervals}::int) AS number,
           LATERAL (SELECT now() + number * interval '88 days' / ${intervals}::int AS at)`;
  await sql`ANALYZE external_calendar_connections, external_calendar_events`;
  return { providerId, connectionId };
}

async function timed<T>(work: () => PromiseLike<T>): Promise<{ value: T; ms: number }> {
  const startedAt = performance.now();
  const value = await work();
  return { value, ms: performance.now() - startedAt };
}
