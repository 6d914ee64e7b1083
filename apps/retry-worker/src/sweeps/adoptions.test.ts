import { randomUUID } from 'node:crypto';
import { acceptBookingIntent, noteAdoption, storeGrant } from '@bookiji/db';
import { adoptBookings, connectionIdOf } from '@bookiji/sync';
import {
  type BuiltConnection,
  createTestDatabase,
  insertConnection,
  type TestDatabase,
  untilSomebodyWaits,
} from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sweepAdoptions } from './adoptions.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => database.sql`TRUNCATE external_calendar_connections, booking_intents CASCADE`);

const HOUR_MS = 3_600_000;
const sweep = () => sweepAdoptions({ db: database.db }).run();
const letMinutesPass = (minutes: number) =>
  database.sql`
    UPDATE external_calendar_connections
       SET adopt_at = adopt_at - ${minutes} * interval '1 minute', created_at = created_at - ${minutes} * interval '1 minute'`;
const effects = () => database.sql`
  SELECT booking_id, connection_id, version::int, creation_key IS NOT NULL AS is_looked_for FROM booking_effects`;

function accept(providerId: string, version = 1, bookingId: string = randomUUID()) {
  return {
    bookingId,
    accepted: acceptBookingIntent(database.db, {
      eventId: randomUUID(),
      bookingId,
      providerId,
      version,
      state: 'live',
      startAt: new Date(Date.now() + 24 * HOUR_MS),
      endAt: new Date(Date.now() + 25 * HOUR_MS),
      details: { title: 'Haircut', time_zone: 'UTC' },
    }),
  };
}
/** A booking that a connection has no effect of. */
async function missed(connection: BuiltConnection): Promise<string> {
  const { bookingId, accepted } = accept(connection.providerId);
  await accepted;
  await database.sql`DELETE FROM booking_effects WHERE booking_id = ${bookingId}`;
  return bookingId;
}

describe('[O-1] a booking that a connection was never told of', () => {
  test('is adopted at its next turn, as one that may be in the calendar already, and not once more', async () => {
    const connection = await insertConnection(database.sql);
    const bookingId = await missed(connection);
    expect(await sweep()).toBe(0);
    await letMinutesPass(1);
    expect(await sweep()).toBe(1);
    expect(await effects()).toEqual([
      { booking_id: bookingId, connection_id: connection.id, version: 1, is_looked_for: true },
    ]);
    await letMinutesPass(10);
    expect(await sweep()).toBe(0);
  });

  test('is adopted although a connection before it could not be looked through', async () => {
    const broken = await insertConnection(database.sql);
    const sound = await insertConnection(database.sql);
    const [lost, found] = [await missed(broken), await missed(sound)];
    await database.sql.unsafe(
      `ALTER TABLE booking_effects ADD CONSTRAINT none CHECK (connection_id <> '${broken.id}') NOT VALID`,
    );
    await letMinutesPass(1);
    await database.sql`
      UPDATE external_calendar_connections SET adopt_at = adopt_at - interval '1 hour' WHERE id = ${broken.id}`;
    await expect(sweep()).rejects.toThrow();
    await letMinutesPass(1);
    await sweep().catch(() => undefined);
    expect((await effects()).map((row) => row.booking_id)).toEqual([found]);
    await database.sql`ALTER TABLE booking_effects DROP CONSTRAINT none`;
    await letMinutesPass(1);
    await sweep();
    expect((await effects()).map((row) => row.booking_id).sort()).toEqual([lost, found].sort());
  });

  test('is adopted a minute later when it, or its connection, was locked by somebody else at its turn', async () => {
    const connection = await insertConnection(database.sql);
    const bookingId = await missed(connection);
    await letMinutesPass(1);
    await database.sql.begin(async (tx) => {
      await tx`SELECT FROM booking_intents WHERE booking_id = ${bookingId} FOR UPDATE`;
      expect(await sweep()).toBe(0);
    });
    await letMinutesPass(1);
    expect(await sweep()).toBe(1);
  });

  test('is left alone while its connection is parked or being disconnected', async () => {
    const parked = await insertConnection(database.sql, { columns: { status: 'reauth_required' } });
    const leaving = await insertConnection(database.sql, { columns: { sync_enabled: false } });
    await missed(parked);
    await missed(leaving);
    await letMinutesPass(60);
    expect(await sweep()).toBe(0);
  });
});

describe('[O-1] a booking that is accepted in the very moment in which its calendar is connected', () => {
  const providerId = randomUUID();
  const connectionId = connectionIdOf(providerId, 'google');
  const grant = {
    connectionId,
    providerId,
    calendarProvider: 'google',
    externalCalendarId: 'primary',
    accountId: 'a',
    providerEmail: null,
    accessTokenSealed: 'sealed',
    refreshTokenSealed: 'sealed',
    accessTokenExpiresInSeconds: 3_600,
    scopes: [],
  } as const;

  test('for the first time, so that neither sees the other, is there a minute later in its newest version', async () => {
    const known = accept(providerId);
    await known.accepted;
    const fresh = randomUUID();
    await database.db.transaction(async (tx) => {
      await storeGrant(tx, grant);
      await adoptBookings(tx, { id: connectionId, calendarProvider: 'google' }, { atMost: 100, isWithGrant: true });
      // By others, who do not see the connection yet.
      await accept(providerId, 1, fresh).accepted;
      await accept(providerId, 2, known.bookingId).accepted;
    });
    expect(await effects()).toMatchObject([{ booking_id: known.bookingId, version: 1 }]);
    await letMinutesPass(1);
    expect(await sweep()).toBe(2);
    const versions = new Map((await effects()).map((row) => [row.booking_id, row.version]));
    expect(versions).toEqual(
      new Map([
        [fresh, 1],
        [known.bookingId, 2],
      ]),
    );
  });

  test('is there a minute later although the sweep had a turn before', async () => {
    const connection = await insertConnection(database.sql, { columns: { adopt_at: '2000-01-01T00:00:00Z' } });
    await sweep();
    const bookingId = await missed(connection);
    await letMinutesPass(1);
    expect(await sweep()).toBe(1);
    expect(await effects()).toMatchObject([{ booking_id: bookingId }]);
  });

  test('again is there at once', async () => {
    await database.db.transaction(async (tx) => void (await storeGrant(tx, grant)));
    await database.sql`UPDATE external_calendar_connections SET status = 'disabled'`;
    const { bookingId, accepted } = await database.db.transaction(async (tx) => {
      await storeGrant(tx, grant);
      await adoptBookings(tx, { id: connectionId, calendarProvider: 'google' }, { atMost: 100, isWithGrant: true });
      const fresh = accept(providerId);
      await untilSomebodyWaits(database.sql);
      return fresh;
    });
    expect(await accepted).toEqual({ accepted: true, connectionIds: [connectionId] });
    expect(await effects()).toMatchObject([{ booking_id: bookingId, version: 1 }]);
  });
});

test('[O-1] turns come once a day, spread, and a connection just made has its first after a minute', async () => {
  for (let one = 0; one < 60; one += 1) await insertConnection(database.sql);
  const due = async () => {
    const [row] = await database.sql`
      SELECT count(*) FILTER (WHERE adopt_at <= now())::int AS now,
             count(*) FILTER (WHERE adopt_at > now() + interval '24 hours')::int AS later
        FROM external_calendar_connections`;
    return row;
  };
  expect(await due()).toEqual({ now: 0, later: 0 });
  await letMinutesPass(1);
  await sweep();
  expect(await due()).toEqual({ now: 10, later: 50 });
  await sweep();
  expect(await due()).toEqual({ now: 0, later: 60 });
  const [first] = await database.sql`SELECT id FROM external_calendar_connections LIMIT 1`;
  await noteAdoption(database.db, String(first?.id), 3_600);
  expect(await due()).toEqual({ now: 0, later: 59 });
});
