import { describe, expect, test } from '@jest/globals';
import { judgeLiveness } from './judge-liveness.ts';

const quiet = { unprovenMs: 40_000, isPaused: false, isFull: false, reachableMs: 60_000 };

describe('[R-2] a worker', () => {
  test.each([
    ['lost', 'a queue that answers, and nothing through it', {}],
    ['alive', 'something through it just before the limit', { unprovenMs: 29_999 }],
    ['paused', 'an operator who wants nothing through', { isPaused: true }],
    ['busy', 'every place taken', { isFull: true }],
    ['lost', 'every place taken by work that never ends', { isFull: true, unprovenMs: 600_000 }],
    ['away', 'a queue that answers nobody', { reachableMs: null }],
    ['away', 'a queue that has just come back', { reachableMs: 7_000 }],
    ['lost', 'a queue that came back long enough ago', { reachableMs: 7_500 }],
  ])('is %s with %s', (state, _, over) => {
    expect(judgeLiveness({ ...quiet, ...over }, 30_000)).toBe(state);
  });
});
