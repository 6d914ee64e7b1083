import { describe, expect, test } from '@jest/globals';
import { createThrottle } from './throttle.ts';

describe('[S-5] guessing', () => {
  test('is stopped for the rest of a minute after too many failures, for that address alone', () => {
    const throttle = createThrottle(3);
    for (let tries = 0; tries < 2; tries += 1) throttle.noteFailure('a', 1_000);
    expect(throttle.waitSeconds('a', 1_000)).toBe(0);
    throttle.noteFailure('a', 21_000);
    expect(throttle.waitSeconds('a', 21_000)).toBe(40);
    expect(throttle.waitSeconds('b', 21_000)).toBe(0);
    expect(throttle.waitSeconds('a', 61_000)).toBe(0);
    throttle.noteFailure('a', 61_000);
    expect(throttle.waitSeconds('a', 61_000)).toBe(0);
  });

  test('cannot fill the memory', () => {
    const throttle = createThrottle(1);
    throttle.noteFailure('first', 0);
    for (let n = 0; n < 10_000; n += 1) throttle.noteFailure(`address-${n}`, 0);
    expect(throttle.waitSeconds('first', 0)).toBe(0);
    expect(throttle.waitSeconds('address-9999', 0)).toBeGreaterThan(0);
  });
});
