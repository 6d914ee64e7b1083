import type { Provider } from './provider.ts';

export interface RequestNote {
  readonly at: string;
  readonly calendar_provider: Provider;
  readonly operation: string;
  readonly status: number;
  readonly user: string | null;
  readonly client_id: string | null;
  readonly duration_ms: number;
  readonly page: number;
  readonly if_match: boolean;
  readonly prefer: string | null;
  /** The fault that struck, if one did. */
  readonly fault: string | null;
}

const KEPT = 2000;

/** What was asked and how it was answered. A lost or hanging answer counts with status 0. */
export class RequestLog {
  readonly #counts = new Map<string, number>();
  readonly #recent: RequestNote[] = [];
  readonly #inFlight = new Map<string, { now: number; peak: number }>();

  begin(mailbox: string): void {
    const flight = this.#inFlight.get(mailbox) ?? { now: 0, peak: 0 };
    flight.now += 1;
    flight.peak = Math.max(flight.peak, flight.now);
    this.#inFlight.set(mailbox, flight);
  }

  end(mailbox: string): void {
    const flight = this.#inFlight.get(mailbox);
    if (flight !== undefined) flight.now -= 1;
  }

  note(note: RequestNote): void {
    const key = `${note.calendar_provider} ${note.operation} ${note.status}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    this.#recent.push(note);
    if (this.#recent.length > 2 * KEPT) this.#recent.splice(0, KEPT);
  }

  counts() {
    return [...this.#counts].map(([key, count]) => {
      const [calendar_provider = '', operation = '', status = ''] = key.split(' ');
      return { calendar_provider, operation, status: Number(status), count };
    });
  }

  recent(): readonly RequestNote[] {
    return this.#recent.slice(-KEPT);
  }

  /** The most requests that were ever under way at once, by account. */
  peaks(): Record<string, number> {
    return Object.fromEntries([...this.#inFlight].map(([mailbox, { peak }]) => [mailbox, peak]));
  }

  clear(): void {
    this.#counts.clear();
    this.#recent.length = 0;
    for (const [mailbox, flight] of this.#inFlight) {
      if (flight.now === 0) this.#inFlight.delete(mailbox);
      else flight.peak = flight.now;
    }
  }
}
