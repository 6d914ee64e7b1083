import { expect, test } from '@jest/globals';
import { planLoad, SERIES_NOTIFICATIONS } from './plan-load.ts';

/** Park and Miller's generator: the same every time. */
function createRandom(): () => number {
  let state = 42;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test('a day has as many notifications and bookings as were wished for, in order, within its length', () => {
  const orders = planLoad({ calendars: 50, notifications: 10_000, bookings: 3_000, seconds: 60 }, createRandom());
  const count = (deed: string) => orders.filter((order) => order.deed === deed).length;
  expect(count('booking')).toBe(3_000);
  expect(count('booking') + count('event') + SERIES_NOTIFICATIONS * count('series')).toBe(10_000);
  expect(orders.map(({ atMs }) => atMs)).toEqual(orders.map(({ atMs }) => atMs).sort((one, other) => one - other));
  expect(orders.at(-1)?.atMs).toBeLessThan(60_000);
  expect(new Set(orders.map(({ calendar }) => calendar)).size).toBe(50);
});
