/** Google's push channels. developers.google.com/workspace/calendar/api/guides/push. */
import type { CalendarStore } from '../calendars/calendar-store.ts';

export interface GoogleChannel {
  readonly id: string;
  readonly store: CalendarStore;
  readonly resourceId: string;
  readonly address: string;
  readonly token: string | null;
  readonly expiresAtMs: number;
  readonly email: string;
  readonly clientId: string;
  /** `resourceUri`, as the API was addressed. */
  readonly resourceUri: string;
  messageNumber: number;
}

export class GoogleChannels {
  readonly #live = new Map<string, GoogleChannel>();
  readonly #byStore = new Map<CalendarStore, Set<GoogleChannel>>();
  /** An id stays taken, even after its channel was stopped. */
  readonly #used = new Set<string>();

  isTaken(id: string): boolean {
    return this.#used.has(id);
  }

  open(channel: GoogleChannel): void {
    this.#used.add(channel.id);
    this.#live.set(channel.id, channel);
    const siblings = this.#byStore.get(channel.store) ?? new Set();
    this.#byStore.set(channel.store, siblings.add(channel));
  }

  get(id: string): GoogleChannel | undefined {
    return this.#live.get(id);
  }

  stop(id: string): void {
    const channel = this.#live.get(id);
    if (channel === undefined) return;
    this.#live.delete(id);
    this.#byStore.get(channel.store)?.delete(channel);
  }

  of(store: CalendarStore): Iterable<GoogleChannel> {
    return this.#byStore.get(store) ?? [];
  }

  list(): GoogleChannel[] {
    return [...this.#live.values()];
  }

  dropExpired(nowMs: number): void {
    for (const channel of this.#live.values()) if (channel.expiresAtMs <= nowMs) this.stop(channel.id);
  }

  clear(): void {
    this.#live.clear();
    this.#byStore.clear();
    this.#used.clear();
  }
}
