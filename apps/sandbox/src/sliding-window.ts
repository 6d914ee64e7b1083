/** Counts requests of the last minute or ten, in slices. Quotas are sliding windows (google-calendar.md §5). */
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
