/**
 * Counts requests of the last minute or ten, in slices. Quotas are sliding windows
 * (developers.google.com/workspace/calendar/api/guides/quota).
 */
export class SlidingWindow {
  readonly #sliceMs: number;
  readonly #counts: number[];
  #total = 0;
  #slice = 0;

  constructor(windowMs: number, slices = 60) {
    this.#sliceMs = windowMs / slices;
    this.#counts = new Array<number>(slices).fill(0);
  }

  /** Counts one request in and says how many the window now holds. */
  add(nowMs: number): number {
    const slice = Math.floor(nowMs / this.#sliceMs);
    if (slice !== this.#slice) this.#turnTo(slice);
    const at = slice % this.#counts.length;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#total += 1;
    return this.#total;
  }

  #turnTo(slice: number): void {
    const length = this.#counts.length;
    const passed = slice > this.#slice ? Math.min(slice - this.#slice, length) : length;
    for (let step = 1; step <= passed; step += 1) {
      const at = (((slice - passed + step) % length) + length) % length;
      this.#total -= this.#counts[at] ?? 0;
      this.#counts[at] = 0;
    }
    this.#slice = slice;
  }
}

/** A window per key. */
export class SlidingWindows {
  readonly #windowMs: number;
  readonly #windows = new Map<string, SlidingWindow>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Counts one request in and says how many the key's window now holds. */
  add(key: string, nowMs: number): number {
    let window = this.#windows.get(key);
    if (window === undefined) {
      window = new SlidingWindow(this.#windowMs);
      this.#windows.set(key, window);
    }
    return window.add(nowMs);
  }

  clear(): void {
    this.#windows.clear();
  }
}
