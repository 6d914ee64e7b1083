import { describe, expect, test } from '@jest/globals';
import { networkOf, takeTurn } from './take-turn.ts';

describe('[S-5] a caller that is limited', () => {
  test('goes on while the limiter lets it, and then hears how many whole seconds to wait', async () => {
    expect(await takeTurn({ consume: async () => ({ remainingPoints: 1 }) }, 'a')).toBe(0);
    const exhausted = { consume: () => Promise.reject({ msBeforeNext: 1_001 }) };
    expect(await takeTurn(exhausted, 'a')).toBe(2);
  });

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['2001:db8::3:4:5:6', '2001:db8:0:0'],
    ['2001:db8::', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
  ])('at %s is counted as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
