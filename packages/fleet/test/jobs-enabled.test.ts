/** Whether jobs are enabled, as every process tells it. */
import { randomUUID } from 'node:crypto';
import { turnSwitches } from '@bookiji/db';
import { AggregatorRegistry } from '@bookiji/observability';
import type { Part } from '@bookiji/runtime';
import { asRole, createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openStores } from '../src/index.ts';

let database: TestDatabase;
const parts: Part[] = [];
const context = { own: (part: Part) => void parts.push(part), deadline: new AbortController().signal, fail: () => {} };

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  for (const { stop } of parts.reverse()) await stop();
  await database.drop();
});

test('[B-1] every process says whether jobs are enabled, and the sum of the fleet says it once', async () => {
  const open = (role: string) =>
    openStores(
      context,
      role,
      {
        DATABASE_URL: asRole(database.url, 'calsync_worker'),
        QUEUE_PREFIX: `{t-${randomUUID().slice(0, 8)}}`,
        LOG_LEVEL: 'silent',
        CALENDAR_JOBS_ENABLED: 'true',
      },
      2,
    );
  const fleet = await Promise.all(['ingress', 'inbound-worker', 'retry-worker'].map(open));
  const read = () => Promise.all(fleet.map(async ({ metrics }) => (await metrics.jobsEnabled.get()).values[0]?.value));
  expect(await read()).toEqual([1, 1, 1]);

  // As ops sums it: without the label that tells processes apart.
  const told = fleet.map(async ({ metrics }) => [
    { ...(await metrics.jobsEnabled.get()), values: [{ labels: {}, value: 1 }] },
  ]);
  const sum = await AggregatorRegistry.aggregate((await Promise.all(told)) as never).metrics();
  expect(sum).toMatch(/^calendar_jobs_enabled 1$/m);

  const off = { name: 'CALENDAR_JOBS_ENABLED', isOn: false, changedBy: 'the test', reason: null };
  await turnSwitches(database.db, [off]);
  await Promise.all(fleet.map(({ flags }) => flags.refresh()));
  expect(await read()).toEqual([0, 0, 0]);
});
