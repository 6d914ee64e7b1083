/**
 * Notification items that wait for others to the same address.
 * See learn.microsoft.com/graph/api/resources/changenotificationcollection.
 */
import type { Resource } from './resource.ts';

export interface Item {
  readonly subscription: string;
  readonly content: Resource;
}

/** Items that wait for others to the same address. */
export class Batches {
  readonly #waiting = new Map<string, Item[]>();
  readonly #timers = new Set<NodeJS.Timeout>();

  /** Takes the item in; `deliver` gets it with all that came meanwhile. */
  put(url: string, item: Item, waitMs: number, deliver: (items: readonly Item[]) => void): void {
    const waiting = this.#waiting.get(url);
    if (waiting !== undefined) {
      waiting.push(item);
      return;
    }
    if (waitMs === 0) {
      deliver([item]);
      return;
    }
    const items = [item];
    this.#waiting.set(url, items);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#waiting.delete(url);
      deliver(items);
    }, waitMs);
    this.#timers.add(timer);
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting.clear();
  }
}
