/**
 * A calendar in memory with the rules that exactly-once rests on: own ids, deleted events that keep theirs, etags,
 * lost answers. For tests of decisions; whole journeys use the sandbox over HTTP.
 */
import {
  type BookingMarker,
  type CalendarPort,
  type EventDraft,
  type EventReading,
  type Operation,
  ProviderError,
  type ProviderErrorFacts,
} from '@bookiji/providers/contract';

export interface FakeEvent {
  readonly eventId: string;
  etag: string;
  startAt: Date;
  endAt: Date;
  title: string;
  marker: BookingMarker | null;
  isDeleted: boolean;
  /** Its owner made it repeat, and the occurrence it begins with cannot be read: a read gives the whole series. */
  isSeries: boolean;
}

/** What happens to the next call: refused before it, or done with its answer lost. */
export type FakeFault = { readonly lose: true } | { readonly refuse: Partial<ProviderErrorFacts> };

export interface FakeCalendar {
  readonly port: CalendarPort;
  readonly events: ReadonlyMap<string, FakeEvent>;
  /** Marker versions in the order they were written, by event id; deletions as 0. */
  readonly history: readonly { readonly eventId: string; readonly version: number }[];
  readonly calls: readonly Operation[];
  live(): FakeEvent[];
  /** The owner's own doing. */
  move(eventId: string, startAt: Date, endAt: Date): void;
  remove(eventId: string): void;
  repeat(eventId: string): void;
  /** Asked before each call; null lets it through. */
  fault: (operation: Operation) => FakeFault | null;
  /** Runs between a call's arrival and its effect: for freezing a writer. */
  beforeEffect: (operation: Operation) => Promise<void>;
}

export function createFakeCalendar(): FakeCalendar {
  const events = new Map<string, FakeEvent>();
  const history: { eventId: string; version: number }[] = [];
  const calls: Operation[] = [];
  let etagCount = 0;
  const nextEtag = () => `"${++etagCount}"`;

  const call = async <T>(operation: Operation, effect: () => T): Promise<T> => {
    calls.push(operation);
    const fault = calendar.fault(operation);
    if (fault !== null && 'refuse' in fault) throw fail(operation, fault.refuse);
    await calendar.beforeEffect(operation);
    const answer = effect();
    if (fault !== null) throw fail(operation, { kind: 'transient', reason: 'connection_reset', outcomeUnknown: true });
    return answer;
  };

  const readEvent = (eventId: string): EventReading => {
    const event = events.get(eventId);
    if (event === undefined || event.isDeleted) return { state: 'gone' };
    const { etag, startAt, endAt, marker } = event;
    const seriesId = event.isSeries ? eventId : null;
    return { state: 'live', event: { eventId, seriesId, etag, startAt, endAt, marker, creationKey: null } };
  };
  const mustMatch = (operation: Operation, event: FakeEvent, etag: string | null) => {
    if (etag !== null && event.etag !== etag)
      throw fail(operation, { kind: 'conflict', reason: 'conditionNotMet', status: 412 });
  };
  const write = (event: FakeEvent, draft: EventDraft) => {
    Object.assign(event, {
      startAt: draft.startAt,
      endAt: draft.endAt,
      title: draft.title,
      marker: draft.marker,
      etag: nextEtag(),
    });
    history.push({ eventId: event.eventId, version: draft.marker.version });
    return { eventId: event.eventId, etag: event.etag };
  };
  const unsupported = async (): Promise<never> => {
    throw new Error('not part of this fake');
  };

  const port: CalendarPort = {
    calendarProvider: 'google',
    listChanges: unsupported,
    getEvent: (eventId) => call('get_event', () => readEvent(eventId)),
    findEvent: (key) => call('find_event', () => readEvent(key.googleEventId)),
    createEvent: (draft) =>
      call('create_event', () => {
        const eventId = draft.key.googleEventId;
        if (events.has(eventId)) throw fail('create_event', { kind: 'conflict', reason: 'duplicate', status: 409 });
        const { startAt, endAt, title, marker } = draft;
        const own = { isDeleted: false, isSeries: false };
        const event: FakeEvent = { eventId, etag: '', startAt, endAt, title, marker, ...own };
        events.set(eventId, event);
        return write(event, draft);
      }),
    updateEvent: (target, draft) =>
      call('update_event', () => {
        const event = events.get(target.eventId);
        if (event === undefined) throw fail('update_event', { kind: 'not_found', reason: 'notFound', status: 404 });
        mustMatch('update_event', event, target.etag);
        if (event.isDeleted) throw fail('update_event', { kind: 'not_found', reason: 'notFound', status: 404 });
        return write(event, draft);
      }),
    deleteEvent: (target) =>
      call('delete_event', () => {
        const event = events.get(target.eventId);
        if (event === undefined || event.isDeleted) return;
        mustMatch('delete_event', event, target.etag);
        Object.assign(event, { isDeleted: true, etag: nextEtag() });
        history.push({ eventId: event.eventId, version: 0 });
      }),
    openChannel: unsupported,
    renewChannel: unsupported,
    closeChannel: unsupported,
    listChannels: async () => null,
  };

  const calendar: FakeCalendar = {
    port,
    events,
    history,
    calls,
    live: () => [...events.values()].filter((event) => !event.isDeleted),
    move: (eventId, startAt, endAt) => {
      Object.assign(events.get(eventId) ?? {}, { startAt, endAt, etag: nextEtag() });
    },
    remove: (eventId) => {
      Object.assign(events.get(eventId) ?? {}, { isDeleted: true, etag: nextEtag() });
    },
    repeat: (eventId) => {
      Object.assign(events.get(eventId) ?? {}, { isSeries: true, etag: nextEtag() });
    },
    fault: () => null,
    beforeEffect: async () => undefined,
  };
  return calendar;
}

function fail(operation: Operation, facts: Partial<ProviderErrorFacts>): ProviderError {
  return new ProviderError({
    kind: 'transient',
    calendarProvider: 'google',
    operation,
    status: null,
    reason: 'fake',
    retryAfterMs: null,
    requestId: null,
    outcomeUnknown: false,
    ...facts,
  });
}
