import { randomUUID } from 'node:crypto';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { acceptBookingIntent } from './booking-intents.ts';
import { claimEffect } from './effect-leases.ts';
import { recordEffectSuccess } from './effect-results.ts';
import { restoreDeletions } from './held-deletions.ts';
import { LeaseLostError } from './sync-leases.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('[O-1] a read that was under way when held deletions are undone does not undo that', async () => {
  const { id: connectionId, providerId } = await insertConnection(database.sql);
  const bookingId = randomUUID();
  const times = { startAt: new Date('2026-11-24T09:00:00Z'), endAt: new Date('2026-11-24T10:00:00Z') };
  const intent = { eventId: randomUUID(), bookingId, providerId, version: 5, state: 'live', ...times } as const;
  await acceptBookingIntent(database.db, { ...intent, details: { title: 't', time_zone: 'UTC' } });
  await database.sql`
    UPDATE booking_effects SET applied_version = 5, inspect_requested = 1, generation = 1 WHERE booking_id = ${bookingId}`;
  await database.sql`
    INSERT INTO external_changes (kind, booking_id, provider_id, connection_id, booking_version, reading)
    VALUES ('held', ${bookingId}, ${providerId}, ${connectionId}, 5, 'gone')`;
  const target = { bookingId, connectionId };
  const read = await claimEffect(database.db, { ...target, owner: 'reader', leaseMs: 20_000 });

  expect(await restoreDeletions(database.db, connectionId)).toBe(1);
  const nothingThere = {
    ...{
      ...target,
      token: read?.token ?? 0,
      appliedVersion: 5,
      inspected: 1,
      externalEventId: null,
      deletedEventId: null,
    },
    ...{ etag: null, generation: 1, writtenStart: null, writtenEnd: null, mapping: null },
  };
  await expect(recordEffectSuccess(database.db, nothingThere)).rejects.toThrow(LeaseLostError);
  const again = await claimEffect(database.db, { ...target, owner: 'writer', leaseMs: 20_000 });
  expect(again?.effect).toMatchObject({ version: 5, appliedVersion: 0 });
});
