/** Every committed write, in order, never changed afterwards: what an auditor reconstructs the calendars from. */
import type { StoredEvent } from './calendars/calendar-event.ts';
import type { CalendarStore } from './calendars/calendar-store.ts';
import { stampText } from './calendars/recurrence-rule.ts';
import { showItemId } from './microsoft/item-ids.ts';
import type { Provider } from './provider.ts';

/** Who wrote: the calendar's owner by hand (admin API, page), or a client through the provider's API. */
export type Author = { readonly kind: 'owner' } | { readonly kind: 'client'; readonly clientId: string };

export const OWNER: Author = { kind: 'owner' };

export type WriteOperation =
  | 'create'
  | 'update'
  | 'delete'
  | 'restore'
  | 'occurrence_update'
  | 'occurrence_delete'
  | 'cancel';

export interface HistoryEntry {
  /** Grows over all calendars; also the event's change number. */
  readonly sequence: number;
  readonly atMs: number;
  readonly provider: Provider;
  readonly ownerEmail: string;
  readonly calendarId: string;
  readonly author: Author;
  readonly operation: WriteOperation;
  readonly eventId: string;
  readonly seriesId: string | null;
  readonly originalStart: number | null;
  readonly isCancelled: boolean;
  readonly isAllDay: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly title: string | null;
  readonly showAs: string;
  readonly ownResponse: string | null;
  readonly recurrence: readonly string[] | null;
  /** The event's private properties at that moment: a booking's version marker is among them. */
  readonly properties: Readonly<Record<string, string>>;
  readonly transactionId: string | null;
  readonly etag: string;
}

export class History {
  #entries: HistoryEntry[] = [];
  #sequence = 0;
  readonly #listeners: ((entry: HistoryEntry) => void)[] = [];

  get length(): number {
    return this.#entries.length;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** The next change number, for a change that is part of the write before it. */
  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** The change number up to which everything was written at `atMs` or before. */
  sequenceAt(atMs: number): number {
    const last = this.#entries.findLast((entry) => entry.atMs <= atMs);
    return last?.sequence ?? 0;
  }

  record(store: CalendarStore, event: StoredEvent, operation: WriteOperation, author: Author, atMs: number): void {
    const { content } = event;
    const entry: HistoryEntry = {
      sequence: event.changeNumber,
      atMs,
      provider: store.details.provider,
      ownerEmail: store.details.ownerEmail,
      calendarId: store.details.id,
      author,
      operation,
      eventId: event.id,
      seriesId: event.master?.id ?? null,
      originalStart: event.originalStart,
      isCancelled: event.isCancelled,
      isAllDay: content.timing.isAllDay,
      startMs: content.timing.startMs,
      endMs: content.timing.endMs,
      title: content.title,
      showAs: content.showAs,
      ownResponse: content.ownResponse,
      recurrence: content.rule?.lines ?? null,
      properties: content.privateProperties,
      transactionId: event.transactionId,
      etag: etagOf(event),
    };
    this.#entries.push(entry);
    for (const listener of this.#listeners) listener(entry);
  }

  onEntry(listener: (entry: HistoryEntry) => void): () => void {
    this.#listeners.push(listener);
    return () => {
      const at = this.#listeners.indexOf(listener);
      if (at >= 0) this.#listeners.splice(at, 1);
    };
  }

  entries(): readonly HistoryEntry[] {
    return this.#entries;
  }

  /** Forgets the past, keeps counting: a number is never given twice. */
  clear(): void {
    this.#entries = [];
  }
}

/** The bare version of an event; each provider wraps it in its own form. */
export function etagOf(event: StoredEvent): string {
  return String(3_000_000_000_000_000 + event.changeNumber * 2000);
}

/** As the admin API shows it. */
export function describeEntry(entry: HistoryEntry) {
  return {
    sequence: entry.sequence,
    at: new Date(entry.atMs).toISOString(),
    calendar_provider: entry.provider,
    calendar: entry.ownerEmail,
    calendar_id: entry.calendarId,
    author: entry.author.kind,
    client_id: entry.author.kind === 'client' ? entry.author.clientId : null,
    operation: entry.operation,
    event_id: entry.eventId,
    // As clients that ask for ids that last see it.
    item_id: entry.provider === 'microsoft' ? showItemId(entry.eventId, 0, 'immutable') : entry.eventId,
    series_id: entry.seriesId,
    original_start: entry.originalStart === null ? null : stampText(entry.originalStart, entry.isAllDay),
    status: entry.isCancelled ? 'cancelled' : 'live',
    is_all_day: entry.isAllDay,
    start: new Date(entry.startMs).toISOString(),
    end: new Date(entry.endMs).toISOString(),
    title: entry.title,
    show_as: entry.showAs,
    response_status: entry.ownResponse,
    recurrence: entry.recurrence,
    properties: entry.properties,
    transaction_id: entry.transactionId,
    etag: entry.etag,
  };
}
