import { expect, test } from '@jest/globals';
import { seededRandom } from './seeded-random.ts';

test('the same seed gives the same numbers on every machine, so that a run told by its seed can be run again', () => {
  const random = seededRandom(0x5eed);
  expect([random(), random(), random()].map((number) => number * 2 ** 32)).toEqual([
    3049564378, 1229806541, 4088390650,
  ]);
});
