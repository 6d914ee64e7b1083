import { randomUUID } from 'node:crypto';
import {
  type BuiltConnection,
  createTestDatabase,
  insertConnection,
  type TestDatabase,
  untilSomebodyWaits,
} from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TransactionSql } from 'postgres';
import { acceptBookingIntent, type BookingIntent } from './booking-intents.ts';

let database: TestDatabase;
let connection: BuiltConnection;
let bookingId: string;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  connection = await insertConnection(database.sql);
  bookingId = randomUUID();
});

const HOUR_MS = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR_MS);

function accept(version: number, over: Partial<BookingIntent> = {}) {
  return acceptBookingIntent(database.db, {
    eventId: randomUUID(),
    bookingId,
    providerId: connection.providerId,
    version,
    state: 'live',
    startAt: inHours(24),
    endAt: inHours(25),
    details: { title: `v${version}`, time_zone: 'UTC' },
    ...over,
  });
}
const setStatus = (status: string) =>
  database.sql`UPDATE external_calendar_connections SET status = ${status} WHERE id = ${connection.id}`;
const effects = () => database.sql`
  SELECT connection_id, version::int, applied_version::int FROM booking_effects WHERE booking_id = ${bookingId}`;

describe('a booking of a provider whose calendar is disabled', () => {
  test('[O-3] goes on to its newest version there: what was written must move or go once the calendar is back', async () => {
    await accept(1);
    await database.sql`UPDATE booking_effects SET applied_version = 1 WHERE booking_id = ${bookingId}`;
    await setStatus('disabled');
    expect(await accept(2, { state: 'cancelled' })).toEqual({ accepted: true, connectionIds: [connection.id] });
    expect(await effects()).toEqual([{ connection_id: connection.id, version: 2, applied_version: 1 }]);
  });

  test('[O-1] that never reached it asks for nothing there', async () => {
    await setStatus('disabled');
    expect(await accept(1)).toEqual({ accepted: true, connectionIds: [] });
    expect(await effects()).toEqual([]);
  });
});

describe('a booking event that meets another transaction about its connection', () => {
  /** Accepts while `meanwhile` is under way and not committed. */
  async function acceptDuring(version: number, meanwhile: (tx: TransactionSql) => Promise<unknown>) {
    let accepting: ReturnType<typeof accept> | undefined;
    await database.sql.begin(async (tx) => {
      await meanwhile(tx);
      accepting = accept(version);
      accepting.catch(() => undefined);
      await untilSomebodyWaits(database.sql);
    });
    return accepting;
  }

  test.each([
    ['first', 0],
    ['second', 1],
  ])('[O-1] is stored when the connection is erased under its hands: its %s version', async (_, known) => {
    if (known > 0) await accept(known);
    const erase = (tx: TransactionSql) => tx`DELETE FROM external_calendar_connections WHERE id = ${connection.id}`;
    expect(await acceptDuring(known + 1, erase)).toEqual({ accepted: true, connectionIds: [] });
    const [intent] = await database.sql`SELECT version::int FROM booking_intents WHERE booking_id = ${bookingId}`;
    expect(intent).toEqual({ version: known + 1 });
    expect(await effects()).toEqual([]);
  });

  test('[O-1] is due in a connection that is just being connected again', async () => {
    await setStatus('disabled');
    const reconnect = async (tx: TransactionSql) => {
      await tx`SELECT FROM external_calendar_connections WHERE id = ${connection.id} FOR UPDATE`;
      await tx`UPDATE external_calendar_connections SET status = 'active' WHERE id = ${connection.id}`;
    };
    expect(await acceptDuring(1, reconnect)).toEqual({ accepted: true, connectionIds: [connection.id] });
    expect(await effects()).toEqual([{ connection_id: connection.id, version: 1, applied_version: 0 }]);
  });
});
