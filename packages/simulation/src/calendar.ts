/**
 * A calendar provider by the rules that "exactly once" rests on. Google: the creator chooses the id, and a deleted event
 * keeps it. Graph: a repeated `transactionId` finds the living event, and is forgotten with a deleted one (the worse of
 * what its documentation allows). Both: etags, and a feed of what changed since a cursor, in pages.
 */
import {
  type BookingMarker,
  type Change,
  type ChangePage,
  type CreationKey,
  type EventDraft,
  type EventReading,
  type EventTarget,
  type ListChangesRequest,
  type Operation,
  ProviderError,
  type ProviderErrorFacts,
  type WrittenEvent,
} from '@bookiji/providers/contract';

export interface CalendarRules {
  readonly calendarProvider: 'google' | 'microsoft';
  /** False: the provider makes up ids and knows nothing of ours. */
  readonly honoursKeys: boolean;
  /** False: whoever writes last wins. */
  readonly honoursEtags: boolean;
}

export interface CalendarEvent {
  readonly eventId: string;
  readonly key: string | null;
  readonly etag: string;
  readonly startAt: Date;
  readonly endAt: Date;
  readonly blocks: boolean;
  readonly marker: BookingMarker | null;
  readonly isDeleted: boolean;
  /** The place of its last change in the feed. */
  readonly sequence: number;
}

export interface Written {
  readonly eventId: string;
  readonly bookingId: string;
  readonly version: number;
}

const PAGE_SIZE = 2;

export class ModelCalendar {
  readonly events = new Map<string, CalendarEvent>();
  /** Every write of a booking's event that took effect, in order. */
  readonly history: Written[] = [];
  readonly rules: CalendarRules;
  readonly #onChange: () => void;
  #sequence = 0;
  #expiresBefore = 0;

  constructor(rules: CalendarRules, onChange: () => void) {
    this.rules = rules;
    this.#onChange = onChange;
  }

  /** Every cursor given out so far is refused from now on. */
  expireCursors(): void {
    this.#expiresBefore = this.#sequence + 1;
    this.#sequence += 1;
  }

  putOwners(eventId: string, event: Pick<CalendarEvent, 'startAt' | 'endAt' | 'blocks'>): void {
    this.#store({ eventId, key: null, marker: null, isDeleted: false, ...event });
  }

  removeOwners(eventId: string): void {
    const event = this.events.get(eventId);
    if (event !== undefined && !event.isDeleted) this.#store({ ...event, isDeleted: true });
  }

  listChanges({ cursor, page, window }: ListChangesRequest): ChangePage {
    const since = cursor === null ? 0 : Number(cursor);
    if (cursor !== null && since < this.#expiresBefore) throw fail(this, 'list_changes', 'cursor_expired', 410);
    const [from = since, until = this.#sequence] = page === null ? [] : page.split(':').map(Number);
    const later = [...this.events.values()]
      .filter(({ sequence, isDeleted, startAt, endAt }) => {
        const isListed = cursor !== null || (!isDeleted && startAt < window.endAt && endAt > window.startAt);
        return isListed && sequence > from;
      })
      .sort((a, b) => a.sequence - b.sequence);
    const shown = later.slice(0, PAGE_SIZE);
    const isLast = later.length <= PAGE_SIZE;
    return {
      changes: shown.map((event) => this.#toChange(event)),
      unreadable: [],
      nextPage: isLast ? null : `${shown.at(-1)?.sequence}:${until}`,
      // From where the round began: what changed while it was read is told once more.
      cursor: isLast ? String(until) : null,
    };
  }

  getEvent(eventId: string): EventReading {
    return toReading(this.events.get(eventId));
  }

  findEvent(key: CreationKey): EventReading {
    return this.rules.honoursKeys ? toReading(this.#findByKey(key)) : { state: 'gone' };
  }

  createEvent(draft: EventDraft): WrittenEvent {
    const { startAt, endAt, marker } = draft;
    const { calendarProvider, honoursKeys } = this.rules;
    const taken = honoursKeys ? this.#findByKey(draft.key) : undefined;
    if (taken !== undefined && (calendarProvider === 'google' || !taken.isDeleted)) {
      const isSame = calendarProvider === 'microsoft' && shows(taken, draft);
      if (!isSame) throw fail(this, 'create_event', 'conflict', 409);
      return { eventId: taken.eventId, etag: taken.etag };
    }
    const key = this.#ownKey(draft.key);
    const hasOwnId = calendarProvider === 'google' && honoursKeys;
    const eventId = hasOwnId ? key : `made-${this.events.size + 1}`;
    return this.#write({
      eventId,
      key: honoursKeys ? key : null,
      startAt,
      endAt,
      marker,
      blocks: true,
      isDeleted: false,
    });
  }

  updateEvent(target: EventTarget, draft: EventDraft): WrittenEvent {
    const event = this.events.get(target.eventId);
    if (event === undefined || event.isDeleted) throw fail(this, 'update_event', 'not_found', 404);
    this.#mustMatch('update_event', event, target.etag);
    const { startAt, endAt, marker } = draft;
    return this.#write({ ...event, startAt, endAt, marker });
  }

  deleteEvent(target: EventTarget): void {
    const event = this.events.get(target.eventId);
    if (event === undefined || event.isDeleted) return;
    this.#mustMatch('delete_event', event, target.etag);
    this.#store({ ...event, isDeleted: true });
  }

  #mustMatch(operation: Operation, event: CalendarEvent, etag: string | null): void {
    if (this.rules.honoursEtags && etag !== null && etag !== event.etag) throw fail(this, operation, 'conflict', 412);
  }

  /** The living event under the key if there is one, else a deleted one. */
  #findByKey(key: CreationKey): CalendarEvent | undefined {
    const own = this.#ownKey(key);
    let deleted: CalendarEvent | undefined;
    for (const event of this.events.values()) {
      if (event.key !== own) continue;
      if (!event.isDeleted) return event;
      deleted ??= event;
    }
    return deleted;
  }

  /** Either form is a hash, made when it is asked for. */
  #ownKey(key: CreationKey): string {
    return this.rules.calendarProvider === 'google' ? key.googleEventId : key.transactionId;
  }

  #write(event: Omit<CalendarEvent, 'etag' | 'sequence'> & { marker: BookingMarker }): WrittenEvent {
    const { bookingId, version } = event.marker;
    this.history.push({ eventId: event.eventId, bookingId, version });
    return this.#store(event);
  }

  #store(event: Omit<CalendarEvent, 'etag' | 'sequence'>): WrittenEvent {
    this.#sequence += 1;
    const stored = { ...event, etag: `"${this.#sequence}"`, sequence: this.#sequence };
    this.events.set(event.eventId, stored);
    this.#onChange();
    return { eventId: stored.eventId, etag: stored.etag };
  }

  #toChange({ eventId, key, etag, startAt, endAt, blocks, marker, isDeleted }: CalendarEvent): Change {
    if (isDeleted) return { kind: 'tombstone', eventId, seriesId: null };
    const none = { seriesId: null, icalUid: null };
    // Graph's feed cannot expand the property that holds the marker; what it shows of ours is the key.
    const own =
      this.rules.calendarProvider === 'microsoft' ? { marker: null, creationKey: key } : { marker, creationKey: null };
    return { kind: 'event', eventId, ...none, startAt, endAt, blocks, etag, ...own };
  }
}

function toReading(event: CalendarEvent | undefined): EventReading {
  if (event === undefined || event.isDeleted) return { state: 'gone' };
  const { eventId, key: creationKey, etag, startAt, endAt, marker } = event;
  return { state: 'live', event: { eventId, seriesId: null, etag, startAt, endAt, marker, creationKey } };
}

function shows(event: CalendarEvent, draft: EventDraft): boolean {
  return (
    event.marker?.version === draft.marker.version &&
    event.startAt.getTime() === draft.startAt.getTime() &&
    event.endAt.getTime() === draft.endAt.getTime()
  );
}

function fail(calendar: ModelCalendar, operation: Operation, kind: ProviderError['kind'], status: number) {
  return providerError(calendar.rules.calendarProvider, operation, { kind, status, reason: `model_${status}` });
}

export function providerError(
  calendarProvider: 'google' | 'microsoft',
  operation: Operation,
  facts: Partial<ProviderErrorFacts> & Pick<ProviderErrorFacts, 'kind'>,
): ProviderError {
  const none = { status: null, reason: 'model', retryAfterMs: null, requestId: null, outcomeUnknown: false };
  return new ProviderError({ calendarProvider, operation, ...none, ...facts });
}
