import { createTestDatabase, moveClock, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../client.ts';
import { takeFromBudget } from './provider-budgets.ts';

let database: TestDatabase;
let handle: ReturnType<typeof openDatabase>;
beforeAll(async () => {
  database = await createTestDatabase();
  await moveClock(database.url, 0);
  handle = openDatabase(database.url, { applicationName: 'test', max: 8 });
});
afterAll(async () => {
  await handle.close();
  await database.drop();
});
beforeEach(async () => {
  await database.sql`TRUNCATE provider_budgets`;
});

const take = (wanted: number, perSecond: number, calendarProvider: 'google' | 'microsoft' = 'google') =>
  takeFromBudget(handle.db, { calendarProvider, wanted, perSecond });
const sum = (grants: readonly number[]) => grants.reduce((total, one) => total + one, 0);

describe('[R-1] the budget of a calendar provider', () => {
  test('gives a second’s share at once, to however many ask, and no more', async () => {
    // Slow enough that no time that a machine may lose here fills it again.
    const grants = await Promise.all(Array.from({ length: 40 }, () => take(1, 20 / 60)));
    expect(sum(grants)).toBe(1);
    await database.sql`TRUNCATE provider_budgets`;
    const startedAt = performance.now();
    const many = await Promise.all(Array.from({ length: 60 }, () => take(10, 100)));
    expect(sum(many)).toBeGreaterThanOrEqual(100);
    expect(sum(many)).toBeLessThanOrEqual(100 + 100 * ((performance.now() - startedAt) / 1_000));
    expect(Math.max(...many)).toBeLessThanOrEqual(10);
    const [row] = await database.sql`SELECT tokens::float8 FROM provider_budgets`;
    expect(Number(row?.tokens)).toBeGreaterThanOrEqual(0);
  });

  test('fills with time up to a second’s share', async () => {
    const startedAt = performance.now();
    expect(await take(50, 10)).toBe(10);
    // No more than came in meanwhile, however long the machine took for it.
    const again = await take(50, 10);
    expect(again).toBeLessThanOrEqual(10 * ((performance.now() - startedAt) / 1_000));
    await moveClock(database.url, 3_600);
    expect(await take(50, 10)).toBe(10);
    await moveClock(database.url, 0);
  });

  test('of one provider is not that of the other', async () => {
    expect(await take(10, 10)).toBe(10);
    expect(await take(10, 10, 'microsoft')).toBe(10);
  });
});
