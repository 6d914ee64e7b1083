import type { FlagBoard } from '@bookiji/flags';
import type { QueueSystem } from '@bookiji/queues';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sweepAudits } from './audits.ts';

let database: TestDatabase;
let rung: string[];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  rung = [];
  await database.sql`TRUNCATE external_calendar_connections CASCADE`;
});

const queues = {
  queue: () => ({
    addBulk: async (jobs: { data: { connection_id: string } }[]) => {
      rung.push(...jobs.map(({ data }) => data.connection_id));
    },
  }),
} as unknown as QueueSystem;
const flagsWith = (allowlists: object, isOn = true) => ({ isOn: () => isOn, allowlists }) as unknown as FlagBoard;
const everybody = { providerIds: null, connectionIds: null };
const sweep = (flags = flagsWith(everybody)) =>
  sweepAudits({ db: database.db, flags, queues, intervalSeconds: 86_400 }).run();
const makeAllDue = () => database.sql`UPDATE connection_audits SET due_at = now() - interval '1 second'`;

describe('[O-3] the turns of the audit', () => {
  test('come once each, a few at a time', async () => {
    for (let one = 0; one < 12; one += 1) await insertConnection(database.sql);
    await sweep();
    await makeAllDue();
    rung = [];
    expect([await sweep(), await sweep(), await sweep(), await sweep()]).toEqual([5, 5, 2, 0]);
    expect(new Set(rung).size).toBe(12);
  });

  test('of connections that are new are spread over the interval', async () => {
    for (let one = 0; one < 20; one += 1) await insertConnection(database.sql);
    await sweep();
    const [row] = await database.sql`
      SELECT count(*) FILTER (WHERE due_at > now() + interval '2 hours')::int AS later, count(*)::int AS all FROM connection_audits`;
    expect(row?.all).toBe(20);
    expect(row?.later).toBeGreaterThan(10);
  });

  test('pass over connections that are parked, switched off or not on the list, and stop with the flag', async () => {
    const parked = await insertConnection(database.sql);
    const off = await insertConnection(database.sql);
    const unlisted = await insertConnection(database.sql);
    const listed = await insertConnection(database.sql);
    await sweep();
    await makeAllDue();
    await database.sql`UPDATE external_calendar_connections SET status = 'reauth_required' WHERE id = ${parked.id}`;
    rung = [];
    const connectionIds = [parked.id, off.id, listed.id];
    const lists = { ...everybody, connectionIds, connectionIdsOff: [off.id] };
    expect(await sweep(flagsWith(lists, false))).toBe(0);
    await sweep(flagsWith(lists));
    expect(rung).toEqual([listed.id]);
    expect(rung).not.toContain(unlisted.id);
  });
});
