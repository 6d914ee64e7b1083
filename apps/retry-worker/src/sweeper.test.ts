import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSweeper } from './sweeper.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('[R-2] a sweep that never ends is reported, and swept again beside it', async () => {
  const errors: unknown[] = [];
  let runs = 0;
  const swept = Promise.withResolvers<number>();
  const sweeper = createSweeper({
    db: database.db,
    owner: 'me',
    random: () => 0.5,
    sweepAtMostMs: 50,
    sweeps: [
      {
        name: 'due_things',
        intervalMs: 10,
        run() {
          runs += 1;
          return runs === 1 ? new Promise<number>(() => undefined) : Promise.resolve(7);
        },
      },
    ],
    onSwept: (_, found) => swept.resolve(found),
    onError: (_, error) => errors.push(error),
  });
  sweeper.start();
  expect(await swept.promise).toBe(7);
  await sweeper.stop();
  // On a busy machine a sweep that would end may take as long.
  expect([...new Set(errors.map(String))]).toEqual(['Error: the sweep did not end within 50 ms']);
});
