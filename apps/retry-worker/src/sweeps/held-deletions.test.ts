import { randomUUID } from 'node:crypto';
import { type ExternalChange, findDeadLetter, markChangesPublished, withdrawDeletion } from '@bookiji/db';
import { replayDeadLetter, restoreHeldDeletions } from '@bookiji/sync';
import { type BuiltConnection, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sweepUnpublishedChanges } from './due-bookings.ts';

const GRACE_SECONDS = 60;

let database: TestDatabase;
let connection: BuiltConnection;
let told: ExternalChange[];
let held: string[];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  told = [];
  held = [];
  await database.sql`TRUNCATE booking_intents, external_changes, dead_letters CASCADE`;
  connection = await insertConnection(database.sql);
});

const sweep = () =>
  sweepUnpublishedChanges({
    db: database.db,
    intervalMs: 1_000,
    graceSeconds: GRACE_SECONDS,
    publishChanges: async (changes) => {
      told.push(...changes);
      await markChangesPublished(
        database.db,
        changes.map(({ changeId }) => changeId),
      );
    },
    onHeld: (connectionIds) => held.push(...connectionIds),
  }).run();
const toldKinds = () => told.map(({ kind }) => kind);

/** A written booking whose event its owner deleted so long ago. */
async function deleted(secondsAgo: number, at: BuiltConnection = connection): Promise<string> {
  const bookingId = randomUUID();
  const { sql } = database;
  await sql`
    INSERT INTO booking_intents (booking_id, provider_id, version, state, start_time, end_time, details, event_id)
    VALUES (${bookingId}, ${at.providerId}, 1, 'live', now(), now() + interval '1 hour', '{}', ${randomUUID()})`;
  await sql`
    INSERT INTO booking_effects (booking_id, connection_id, version, applied_version, generation)
    VALUES (${bookingId}, ${at.id}, 1, 1, 1)`;
  await sql`
    INSERT INTO external_changes (kind, booking_id, provider_id, connection_id, booking_version, reading, observed_at)
    VALUES ('deleted', ${bookingId}, ${at.providerId}, ${at.id}, 1, 'gone:0', now() - ${secondsAgo} * interval '1 second')`;
  return bookingId;
}
const deleteMany = async (count: number, secondsAgo: number) => {
  const ids: string[] = [];
  for (let one = 0; one < count; one += 1) ids.push(await deleted(secondsAgo));
  return ids;
};
const letter = async () => {
  const [row] = await database.sql`SELECT id FROM dead_letters WHERE replayed_at IS NULL`;
  const found = await findDeadLetter(database.db, String(row?.id));
  if (found === null) throw new Error('nobody was asked');
  return found;
};
/** Its owner takes the event out of the bin: what a read of it records. */
const putBack = async (bookingId: string) => {
  await withdrawDeletion(database.db, { bookingId, connectionId: connection.id });
  await database.sql`
    UPDATE booking_effects SET external_event_id = 'back', generation = 0 WHERE booking_id = ${bookingId}`;
};
const deleteAgain = async (bookingId: string, reading = 'gone:0@later') => {
  await database.sql`
    UPDATE booking_effects SET external_event_id = NULL, generation = 1 WHERE booking_id = ${bookingId}`;
  await database.sql`
    INSERT INTO external_changes (kind, booking_id, provider_id, connection_id, booking_version, reading, observed_at)
    VALUES ('deleted', ${bookingId}, ${connection.providerId}, ${connection.id}, 1, ${reading}, now() - interval '61 s')`;
};
const neverRead = () => ({ ok: false, reason: 'not a booking event' }) as const;

describe('[O-1] a deletion by the owner', () => {
  test('is told once, and only when its grace is over', async () => {
    const bookingId = await deleted(GRACE_SECONDS - 10);
    await sweep();
    expect(told).toEqual([]);
    await database.sql`UPDATE external_changes SET observed_at = observed_at - interval '11 seconds'`;
    await sweep();
    await sweep();
    expect(told).toMatchObject([{ kind: 'deleted', bookingId }]);
  });

  test('is not told when the event is back within the grace, nor when a newer version was written', async () => {
    const back = await deleted(GRACE_SECONDS + 1);
    await database.sql`UPDATE booking_effects SET external_event_id = 'back' WHERE booking_id = ${back}`;
    const newer = await deleted(GRACE_SECONDS + 1);
    await database.sql`UPDATE booking_effects SET version = 2, applied_version = 2 WHERE booking_id = ${newer}`;
    await sweep();
    expect(told).toEqual([]);
  });
});

describe('[O-1] many deletions at once', () => {
  test('are all held for a person, from the first on, while other connections go on', async () => {
    await deleteMany(5, GRACE_SECONDS - 10);
    const other = await deleted(GRACE_SECONDS + 1, await insertConnection(database.sql));
    await sweep();
    expect(held).toEqual([connection.id]);
    expect(toldKinds().sort()).toEqual(['deleted', 'held', 'held', 'held', 'held', 'held']);
    expect(told.find(({ kind }) => kind === 'deleted')?.bookingId).toBe(other);
    expect(await letter()).toMatchObject({ kind: 'held_deletions', subject: connection.id, payload: { count: 5 } });
  });

  test('one fewer are told', async () => {
    await deleteMany(4, GRACE_SECONDS + 1);
    await sweep();
    expect(toldKinds()).toEqual(['deleted', 'deleted', 'deleted', 'deleted']);
  });

  test('hold what comes after them too, in the same letter', async () => {
    await deleteMany(5, GRACE_SECONDS + 1);
    await sweep();
    const first = await letter();
    await database.sql`UPDATE external_changes SET observed_at = observed_at - interval '1 hour'`;
    await deleted(GRACE_SECONDS + 1);
    await sweep();
    expect(await letter()).toMatchObject({ id: first.id, payload: { count: 6 } });
    expect(toldKinds()).toEqual(Array(6).fill('held'));
  });

  test('that a person lets go are told as deleted, once, and not held again', async () => {
    const bookingIds = await deleteMany(6, GRACE_SECONDS + 1);
    await sweep();
    const asked = await letter();
    told = [];
    const replayed = await Promise.all([1, 2].map(() => replayDeadLetter(database.db, asked, neverRead)));
    expect(replayed.map(({ outcome }) => outcome).sort()).toEqual(['already_replayed', 'replayed']);
    await sweep();
    await sweep();
    expect(toldKinds()).toEqual(Array(6).fill('deleted'));
    expect(told.map(({ bookingId }) => bookingId).sort()).toEqual(bookingIds.sort());
    // The brake is loose again: one deletion later on is told like any other.
    await deleted(GRACE_SECONDS + 1);
    await sweep();
    expect(toldKinds()).toEqual(Array(7).fill('deleted'));
  });

  test('that a person takes for a mistake are due to be written again, and nothing more is told', async () => {
    const bookingIds = await deleteMany(5, GRACE_SECONDS + 1);
    await sweep();
    told = [];
    expect(await restoreHeldDeletions(database.db, await letter())).toEqual({ outcome: 'replayed' });
    const due = await database.sql`SELECT booking_id FROM booking_effects WHERE applied_version < version`;
    expect(due.map((row) => row.booking_id).sort()).toEqual(bookingIds.sort());
    await sweep();
    expect(told).toEqual([]);
  });

  test('of which one was taken out of the bin and deleted again are held together, as one question more', async () => {
    const [twice = ''] = await deleteMany(5, GRACE_SECONDS + 1);
    await sweep();
    await putBack(twice);
    await deleteAgain(twice);
    await sweep();
    expect(held).toEqual([connection.id, connection.id]);
    expect(await letter()).toMatchObject({ payload: { count: 5 } });
    expect(toldKinds()).toEqual(Array(6).fill('held'));
    told = [];
    expect(await replayDeadLetter(database.db, await letter(), neverRead)).toEqual({ outcome: 'replayed' });
    await sweep();
    expect(toldKinds()).toEqual(Array(5).fill('deleted'));
  });

  test('of which some are taken out of the bin ask about the others alone, in the same letter', async () => {
    const [first = '', second = '', ...others] = await deleteMany(5, GRACE_SECONDS + 1);
    await sweep();
    const asked = await letter();
    await putBack(first);
    await putBack(second);
    await sweep();
    const { id, reason, payload } = await letter();
    expect({ id, reason, payload }).toMatchObject({
      id: asked.id,
      reason: "3 bookings' events were deleted at once",
      payload: { connection_id: connection.id, count: 3, booking_ids: expect.arrayContaining(others) },
    });
    expect(payload).not.toMatchObject({ booking_ids: expect.arrayContaining([first]) });
  });

  test('that are all taken out of the bin again are no question any more, and a later crowd is a new one', async () => {
    const bookingIds = await deleteMany(5, GRACE_SECONDS + 1);
    await sweep();
    const asked = await letter();
    const other = await insertConnection(database.sql);
    for (let one = 0; one < 5; one += 1) await deleted(GRACE_SECONDS + 1, other);
    for (const bookingId of bookingIds) await putBack(bookingId);
    await sweep();
    expect(await letter()).toMatchObject({ subject: other.id, payload: { count: 5 } });
    expect((await findDeadLetter(database.db, asked.id))?.replayedAt).not.toBeNull();
    await deleteMany(5, GRACE_SECONDS + 1);
    await sweep();
    const open = await database.sql`
      SELECT subject, payload ->> 'count' AS count FROM dead_letters WHERE replayed_at IS NULL ORDER BY created_at`;
    expect(open).toEqual([
      { subject: other.id, count: '5' },
      { subject: connection.id, count: '5' },
    ]);
  });

  test('that were recorded before readings could be told apart are held all the same', async () => {
    const [twice = ''] = await deleteMany(5, GRACE_SECONDS + 1);
    await sweep();
    await deleteAgain(twice, 'gone:0');
    await sweep();
    expect(toldKinds()).toEqual(Array(6).fill('held'));
  });

  test('that cannot be held are not told either, while other connections go on', async () => {
    await deleteMany(5, GRACE_SECONDS + 1);
    const other = await insertConnection(database.sql);
    const last = await insertConnection(database.sql);
    for (let one = 0; one < 5; one += 1) await deleted(GRACE_SECONDS + 1, other);
    const single = await deleted(GRACE_SECONDS + 1, last);
    await database.sql.unsafe(`
      ALTER TABLE external_changes ADD CONSTRAINT trouble CHECK (kind <> 'held' OR connection_id <> '${connection.id}')`);
    try {
      await expect(sweep()).rejects.toThrow(connection.id);
    } finally {
      await database.sql`ALTER TABLE external_changes DROP CONSTRAINT trouble`;
    }
    expect(held).toEqual([other.id]);
    expect(told.filter(({ connectionId }) => connectionId === connection.id)).toEqual([]);
    expect(told.filter(({ kind }) => kind === 'deleted').map(({ bookingId }) => bookingId)).toEqual([single]);
    await sweep();
    expect(held).toEqual([other.id, connection.id]);
  });

  test('that were cancelled by the booking service meanwhile leave nothing to decide', async () => {
    await deleteMany(5, GRACE_SECONDS + 1);
    await sweep();
    await database.sql`UPDATE booking_intents SET state = 'cancelled', version = 2`;
    await database.sql`UPDATE booking_effects SET version = 2, applied_version = 2`;
    expect(await replayDeadLetter(database.db, await letter(), neverRead)).toEqual({ outcome: 'nothing_left' });
  });
});
