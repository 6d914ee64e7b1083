/** The two questions of every limit on callers: how long has this one to wait, and which callers are one. */

/** As much as is needed of a limiter: it counts under a key, and rejects with what is left of its time when that was too often. */
export interface Limiter {
  consume(key: string): Promise<unknown>;
}

/** Counts one more under the key; seconds to wait, 0 when it may go on. */
export async function takeTurn(limiter: Limiter, key: string): Promise<number> {
  try {
    await limiter.consume(key);
    return 0;
  } catch (exhausted) {
    return Math.ceil((exhausted as { readonly msBeforeNext: number }).msBeforeNext / 1_000);
  }
}

const GROUPS = 8;
const GROUPS_OF_NETWORK = 4;

/** One subscriber has a whole /64 of IPv6, and of its addresses each leaves out the zeros that are its own. */
export function networkOf(address: string): string {
  if (address.includes('.')) return address;
  const [before = [], after = []] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const leftOut = Array.from({ length: Math.max(0, GROUPS - before.length - after.length) }, () => '0');
  return [...before, ...leftOut, ...after].slice(0, GROUPS_OF_NETWORK).join(':');
}
