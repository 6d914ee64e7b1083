import { min, NEVER } from './timing.ts';

/**
 * A queue as far as doorbells need it: at most one active and one waiting job per id (`keepLastIfActive`), delivered at
 * least once, and without any memory of its own once it is flushed.
 */
export class Doorbell {
  readonly #jobs = new Map<string, { token: number; isActive: boolean; rungAgain: boolean; readyAt: number }>();
  #tokens = 0;

  ring(id: string): void {
    const job = this.#jobs.get(id);
    if (job === undefined) this.#jobs.set(id, { token: 0, isActive: false, rungAgain: false, readyAt: 0 });
    else if (job.isActive) job.rungAgain = true;
  }

  /** Jobs that a worker could take now. */
  waiting(now: number): string[] {
    const ids: string[] = [];
    for (const [id, job] of this.#jobs) if (!job.isActive && job.readyAt <= now) ids.push(id);
    return ids;
  }

  /** When the next delayed job becomes ready; infinity when there is none. */
  nextReadyAt(now: number): number {
    let next = NEVER;
    for (const job of this.#jobs.values()) if (!job.isActive && job.readyAt > now) next = min(next, job.readyAt);
    return next;
  }

  take(id: string): number {
    this.#tokens += 1;
    this.#jobs.set(id, { token: this.#tokens, isActive: true, rungAgain: false, readyAt: 0 });
    return this.#tokens;
  }

  /** Ends the job, unless it was given to somebody else meanwhile. */
  complete(id: string, token: number): void {
    const job = this.#jobs.get(id);
    if (job?.token !== token) return;
    this.#jobs.delete(id);
    if (job.rungAgain) this.ring(id);
  }

  /** Makes the job wait again: its worker failed, died or fell silent. */
  giveBack(id: string, token: number, readyAt: number): void {
    const job = this.#jobs.get(id);
    if (job?.token === token) this.#jobs.set(id, { token: 0, isActive: false, rungAgain: false, readyAt });
  }

  flush(): void {
    this.#jobs.clear();
  }
}
