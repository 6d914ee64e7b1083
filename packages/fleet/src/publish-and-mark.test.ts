import { randomUUID } from 'node:crypto';
import { type ExternalChange, recordExternalChange } from '@bookiji/db';
import type { QueueSystem } from '@bookiji/queues';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { publishAndMark } from './publish-and-mark.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function record(): Promise<ExternalChange> {
  const { id: connectionId, providerId } = await insertConnection(database.sql);
  const of = { bookingId: randomUUID(), providerId, connectionId, bookingVersion: 1, reading: 'read' };
  const change = await recordExternalChange(database.db, { ...of, kind: 'deleted', startTime: null, endTime: null });
  return change as ExternalChange;
}

const queuesThat = (addBulk: (jobs: readonly unknown[]) => Promise<void>) =>
  ({ queue: () => ({ addBulk }) }) as unknown as QueueSystem;
const marked = async () =>
  (await database.sql`SELECT change_id FROM external_changes WHERE published_at IS NOT NULL`).map(
    ({ change_id }) => change_id,
  );

test('[R-2] a change that the queue did not take is not marked as told, and one that it took is', async () => {
  const change = await record();
  const down = queuesThat(() => Promise.reject(new Error('the queue is away')));
  await expect(publishAndMark({ db: database.db, queues: down }, [change])).rejects.toThrow('the queue is away');
  expect(await marked()).toEqual([]);

  const told: unknown[] = [];
  const up = queuesThat(async (jobs) => void told.push(...jobs));
  await publishAndMark({ db: database.db, queues: up }, [change]);
  expect(told).toMatchObject([{ data: { change_id: change.changeId } }]);
  expect(await marked()).toEqual([change.changeId]);
});
