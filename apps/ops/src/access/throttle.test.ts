import { describe, expect, test } from '@jest/globals';
import { createThrottle } from './throttle.ts';

describe('[S-5] guessing', () => {
  test('is told to wait for the rest of a minute after too many wrong tokens, at that address alone', async () => {
    const throttle = createThrottle(2);
    const waits = [];
    for (let tries = 0; tries < 3; tries += 1) waits.push(await throttle.takeRefusal('192.0.2.1'));
    expect(waits.slice(0, 2)).toEqual([0, 0]);
    expect(waits[2]).toBeGreaterThan(0);
    expect(waits[2]).toBeLessThanOrEqual(60);
    expect(await throttle.takeRefusal('192.0.2.2')).toBe(0);
  });

  test('counts the addresses of one IPv6 network together', async () => {
    const throttle = createThrottle(1);
    expect(await throttle.takeRefusal('2001:db8:1:2::1')).toBe(0);
    expect(await throttle.takeRefusal('2001:db8:1:2::ffff')).toBeGreaterThan(0);
    expect(await throttle.takeRefusal('2001:db8:1:3::1')).toBe(0);
  });
});
