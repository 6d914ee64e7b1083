import { expect, test } from '@jest/globals';
import { isSameTime } from './same-time.ts';

test.each([
  ['09:00:00.000', '09:00:00.000', true],
  ['09:00:37.000', '09:00:37.900', true],
  // Rounded down, and up.
  ['09:00:00.000', '09:00:37.000', true],
  ['09:01:00.000', '09:00:37.000', true],
  ['09:00:00.000', '09:01:00.000', false],
  ['10:00:00.000', '09:00:37.000', false],
  // Nobody rounds to these.
  ['09:00:45.000', '09:00:00.000', false],
  ['09:00:45.000', '09:00:46.000', false],
])('[O-1] shown at %s, meant at %s: the same is %j', (shown, meant, isSame) => {
  const at = (time: string) => new Date(`2026-11-24T${time}Z`);
  expect(isSameTime(at(shown), at(meant))).toBe(isSame);
});

test('[O-1] no time at all is the same as none that is shown', () => {
  expect(isSameTime(new Date(0), null)).toBe(false);
});
