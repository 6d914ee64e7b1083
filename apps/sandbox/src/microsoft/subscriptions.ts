/** Graph's subscriptions. learn.microsoft.com/graph/api/resources/subscription. */
import type { CalendarStore } from '../calendars/calendar-store.ts';
import type { IdForm } from './item-ids.ts';

export const CHANGE_TYPES = ['created', 'updated', 'deleted'] as const;
export type ChangeType = (typeof CHANGE_TYPES)[number];

export interface Subscription {
  readonly id: string;
  readonly store: CalendarStore;
  readonly email: string;
  readonly accountId: string;
  readonly clientId: string;
  readonly grantId: string;
  /** As the client wrote it. */
  readonly resource: string;
  readonly changeTypes: ReadonlySet<ChangeType>;
  readonly clientState: string | null;
  readonly lifecycleUrl: string | null;
  /** Settled when it is created. */
  readonly idForm: IdForm;
  notificationUrl: string;
  expiresAtMs: number;
  /** Set when Graph asked for a new authorization and stopped delivering until it comes. */
  isPaused: boolean;
}

export class Subscriptions {
  readonly #live = new Map<string, Subscription>();
  readonly #byStore = new Map<CalendarStore, Set<Subscription>>();

  open(subscription: Subscription): void {
    this.#live.set(subscription.id, subscription);
    const siblings = this.#byStore.get(subscription.store) ?? new Set();
    this.#byStore.set(subscription.store, siblings.add(subscription));
  }

  get(id: string): Subscription | undefined {
    return this.#live.get(id);
  }

  remove(id: string): void {
    const subscription = this.#live.get(id);
    if (subscription === undefined) return;
    this.#live.delete(id);
    this.#byStore.get(subscription.store)?.delete(subscription);
  }

  of(store: CalendarStore): Iterable<Subscription> {
    return this.#byStore.get(store) ?? [];
  }

  list(): Subscription[] {
    return [...this.#live.values()];
  }

  /** An expired one is deleted. */
  dropExpired(nowMs: number): void {
    for (const { id, expiresAtMs } of this.#live.values()) if (expiresAtMs <= nowMs) this.remove(id);
  }

  clear(): void {
    this.#live.clear();
    this.#byStore.clear();
  }
}
