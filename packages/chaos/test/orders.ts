/** Every order in which four booking events can arrive when each comes once or twice. */

/** Versions 1 created, 2 and 3 updated, 4 cancelled. */
const VERSIONS = [1, 2, 3, 4] as const;

/** All distinct orders in which each version appears at least once and at most twice. */
export function allOrders(): number[][] {
  const orders: number[][] = [];
  for (let mask = 0; mask < 2 ** VERSIONS.length; mask += 1) {
    const times = VERSIONS.map((_, index) => (mask & (1 << index) ? 2 : 1));
    arrange(times, [], orders);
  }
  return orders;
}

function arrange(left: number[], order: number[], found: number[][]): void {
  if (left.every((count) => count === 0)) {
    found.push(order);
    return;
  }
  for (const [index, count] of left.entries()) {
    if (count === 0) continue;
    const rest = left.with(index, count - 1);
    arrange(rest, [...order, index + 1], found);
  }
}

/** The versions that are news when they arrive: what a calendar may show, in this order. */
export function newsOf(order: readonly number[]): number[] {
  let newest = 0;
  return order.filter((version) => {
    if (version <= newest) return false;
    newest = version;
    return true;
  });
}
