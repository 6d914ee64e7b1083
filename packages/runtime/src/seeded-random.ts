/**
 * Numbers in [0, 1) that repeat for the same seed, on every machine, so that a run with chance in it can be run again.
 * Mulberry32: 32 bits of state, good enough to choose by, never to keep a secret with.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
