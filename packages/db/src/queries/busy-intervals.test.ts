import { randomUUID } from 'node:crypto';
import { type BuiltConnection, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applyFullRound, applyIncrement } from './apply-round.ts';
import { type BusyInterval, listBusyIntervals } from './busy-intervals.ts';
import { clearStagedPages, stagePage } from './staged-pages.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const at = (hour: number) => new Date(Date.UTC(2026, 10, 24, hour));
const busy = (eventId: string, from = 9, to = 10, seriesId: string | null = null): BusyInterval => ({
  eventId,
  seriesId,
  icalUid: null,
  startAt: at(from),
  endAt: at(to),
  checksum: `${from}-${to}`,
});
const page = (over: Partial<Parameters<typeof stagePage>[3]> = {}) => ({
  puts: [],
  dropIds: [],
  resetSeriesIds: [],
  ...over,
});

async function setUp() {
  const connection = await insertConnection(database.sql);
  const owner = {
    connectionId: connection.id,
    providerId: connection.providerId,
    calendarProvider: connection.calendarProvider,
  };
  return { connection, owner };
}

async function held(connection: BuiltConnection): Promise<string[]> {
  const rows = await database.sql`
    SELECT external_event_id AS id FROM external_calendar_events WHERE connection_id = ${connection.id} AND booking_id IS NULL ORDER BY 1`;
  return rows.map((row) => row.id);
}

const stagedCount = async (connection: BuiltConnection) =>
  Number((await database.sql`SELECT count(*) AS n FROM staged_changes WHERE connection_id = ${connection.id}`)[0]?.n);

describe('an incremental round', () => {
  test('[I-2] puts, moves and drops, and writes nothing for what is unchanged', async () => {
    const { connection, owner } = await setUp();
    await applyIncrement(database.db, owner, 1, page({ puts: [busy('a'), busy('b')] }), false);
    const counts = await applyIncrement(
      database.db,
      owner,
      2,
      page({ puts: [busy('a'), busy('b', 11, 12)], dropIds: ['zzz'] }),
      false,
    );
    expect(counts).toEqual({ putCount: 1, droppedCount: 0 });
    await applyIncrement(database.db, owner, 3, page({ dropIds: ['a'] }), false);
    expect(await held(connection)).toEqual(['b']);
  });

  test('a series reset drops what the page does not name again', async () => {
    const { connection, owner } = await setUp();
    await applyIncrement(
      database.db,
      owner,
      1,
      page({ puts: [busy('s1', 9, 10, 's'), busy('s2', 11, 12, 's'), busy('t1', 9, 10, 't')] }),
      false,
    );
    await applyIncrement(
      database.db,
      owner,
      2,
      page({ resetSeriesIds: ['s'], puts: [busy('s2', 11, 12, 's')] }),
      false,
    );
    expect(await held(connection)).toEqual(['s2', 't1']);
  });

  test('[I-5] pages that are only staged change nothing', async () => {
    const { connection, owner } = await setUp();
    await applyIncrement(database.db, owner, 1, page({ puts: [busy('a')] }), false);
    await stagePage(database.db, connection.id, 2, page({ puts: [busy('b')], dropIds: ['a'] }));
    expect(await held(connection)).toEqual(['a']);
  });

  test('of several pages the later one wins, event by event', async () => {
    const { connection, owner } = await setUp();
    await applyIncrement(
      database.db,
      owner,
      1,
      page({ puts: [busy('gone'), busy('back'), busy('s1', 9, 10, 's')] }),
      false,
    );
    await stagePage(
      database.db,
      connection.id,
      2,
      page({ puts: [busy('gone', 11, 12), busy('s2', 9, 10, 's')], dropIds: ['back'] }),
    );
    await stagePage(
      database.db,
      connection.id,
      2,
      page({ puts: [busy('back', 13, 14)], dropIds: ['gone'], resetSeriesIds: ['s'] }),
    );
    await applyIncrement(database.db, owner, 2, page({ puts: [busy('s3', 9, 10, 's')] }), true);
    expect(await held(connection)).toEqual(['back', 's3']);
    expect(await stagedCount(connection)).toBe(0);
  });
});

describe('a full round', () => {
  test('[I-1] removes what the calendar no longer has, and only of this connection', async () => {
    const { connection, owner } = await setUp();
    const other = await setUp();
    await applyIncrement(database.db, owner, 1, page({ puts: [busy('old'), busy('kept')] }), false);
    await applyIncrement(database.db, other.owner, 1, page({ puts: [busy('theirs')] }), false);
    await stagePage(database.db, connection.id, 2, page({ puts: [busy('kept'), busy('new1')] }));
    const counts = await applyFullRound(database.db, owner, 2, page({ puts: [busy('new2')] }), []);
    expect(await held(connection)).toEqual(['kept', 'new1', 'new2']);
    expect(await held(other.connection)).toEqual(['theirs']);
    expect(counts).toEqual({ putCount: 2, droppedCount: 1 });
  });

  test('[I-5] leaves what is known of an event that the calendar shows and nobody could read', async () => {
    const { connection, owner } = await setUp();
    await applyIncrement(database.db, owner, 1, page({ puts: [busy('odd'), busy('old')] }), false);
    const counts = await applyFullRound(database.db, owner, 2, page({ puts: [busy('new')] }), ['odd', 'never known']);
    expect(await held(connection)).toEqual(['new', 'odd']);
    expect(counts).toEqual({ putCount: 1, droppedCount: 1 });
  });

  test('leaves the mapping of a booking alone, even under the same event id', async () => {
    const { connection, owner } = await setUp();
    const bookingId = randomUUID();
    await database.sql`
      INSERT INTO external_calendar_events (connection_id, provider_id, calendar_provider, external_event_id, start_time, end_time, is_busy, checksum, booking_id)
      VALUES (${connection.id}, ${connection.providerId}, 'google', 'own', ${at(9).toISOString()}, ${at(10).toISOString()}, true, 'x', ${bookingId})`;
    await applyFullRound(database.db, owner, 1, page({ puts: [busy('own', 15, 16)] }), []);
    const [row] =
      await database.sql`SELECT booking_id, checksum FROM external_calendar_events WHERE connection_id = ${connection.id}`;
    expect(row).toEqual({ booking_id: bookingId, checksum: 'x' });
  });

  test('a worker that wakes up late cannot take the pages of the one that replaced it', async () => {
    const { connection, owner } = await setUp();
    await stagePage(database.db, connection.id, 7, page({ puts: [busy('new')] }));
    await clearStagedPages(database.db, connection.id, 6);
    await applyFullRound(database.db, owner, 7, page(), []);
    expect(await held(connection)).toEqual(['new']);
  });
});

test('[I-3] overlap takes what straddles either edge and not what only touches', async () => {
  const { connection, owner } = await setUp();
  const puts = [
    busy('before', 6, 8),
    busy('into', 7, 9),
    busy('in', 9, 10),
    busy('over', 5, 20),
    busy('out', 11, 13),
    busy('after', 12, 14),
  ];
  await applyIncrement(database.db, owner, 1, page({ puts }), false);
  const found = await listBusyIntervals(database.db, connection.providerId, at(8), at(12));
  expect(found.map(({ startAt }) => startAt.getUTCHours())).toEqual([5, 7, 9, 11]);
});

describe('a calendar of twenty thousand events', () => {
  const COUNT = 20_000;
  const many = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => busy(`e${from + index}`, 9, 10, `s${(from + index) % 100}`));

  /** What a table that is filled and emptied all the time looks like to the planner: empty. */
  async function forgetSizes(): Promise<void> {
    await database.sql`VACUUM ANALYZE staged_changes`;
    await database.sql`VACUUM ANALYZE external_calendar_events`;
  }

  async function timed<T>(work: Promise<T>): Promise<[T, number]> {
    const startedAt = performance.now();
    return [await work, performance.now() - startedAt];
  }

  test('[I-1] is read afresh within seconds, whatever the planner believes', async () => {
    const { connection, owner } = await setUp();
    await forgetSizes();
    await applyFullRound(database.db, owner, 1, page({ puts: many(0, COUNT) }), []);
    const again = database.db.transaction((tx) => applyFullRound(tx, owner, 2, page({ puts: many(5, COUNT + 5) }), []));
    const [counts, tookMs] = await timed(again);
    expect(counts).toEqual({ putCount: 5, droppedCount: 5 });
    expect(tookMs).toBeLessThan(20_000);
    expect(await stagedCount(connection)).toBe(0);
  }, 180_000);

  test('[I-1] that loses most of them at once does so within seconds too', async () => {
    const { connection, owner } = await setUp();
    await applyFullRound(database.db, owner, 1, page({ puts: many(0, COUNT) }), []);
    await forgetSizes();
    const dropIds = many(0, 15_000).map(({ eventId }) => eventId);
    await stagePage(database.db, connection.id, 2, page({ dropIds, resetSeriesIds: ['s7'] }));
    const kept = page({ puts: [busy('e19907', 9, 10, 's7')] });
    const [counts, tookMs] = await timed(database.db.transaction((tx) => applyIncrement(tx, owner, 2, kept, true)));
    // Of the fifty of the series that are left, one stays.
    expect(counts).toEqual({ putCount: 0, droppedCount: 15_049 });
    expect(tookMs).toBeLessThan(20_000);
  }, 180_000);
});
