/** The only ways an event changes. Each is one committed write: numbered, recorded, announced. */

import type { SandboxClock } from '../clock.ts';
import type { Author, History, WriteOperation } from '../history.ts';
import type { EventContent, StoredEvent } from './calendar-event.ts';
import type { CalendarStore } from './calendar-store.ts';
import { type Occurrence, occurrencesIn } from './series.ts';

export type ChangeKind = 'created' | 'updated' | 'deleted';

export interface CommittedChange {
  readonly store: CalendarStore;
  readonly event: StoredEvent;
  readonly kind: ChangeKind;
}

export interface Editing {
  readonly clock: SandboxClock;
  readonly history: History;
  /** Tells those who watch the calendar. */
  readonly announce: (change: CommittedChange) => void;
}

export interface NewEvent {
  readonly id: string;
  readonly icalUid: string;
  readonly transactionId?: string | null;
  readonly content: EventContent;
}

export function createEvent(editing: Editing, store: CalendarStore, fresh: NewEvent, author: Author): StoredEvent {
  const event = addEvent(editing, store, fresh, null);
  commit(editing, store, event, 'create', author, 'created');
  return event;
}

/** Many at once, announced once, with the last one. */
export function fillCalendar(editing: Editing, store: CalendarStore, many: Iterable<NewEvent>, author: Author): number {
  let count = 0;
  let last: StoredEvent | null = null;
  for (const fresh of many) {
    last = addEvent(editing, store, fresh, null);
    write(editing, store, last, 'create', author);
    count += 1;
  }
  if (last !== null) editing.announce({ store, event: last, kind: 'created' });
  return count;
}

export function changeEvent(
  editing: Editing,
  store: CalendarStore,
  event: StoredEvent,
  change: Partial<EventContent>,
  author: Author,
): StoredEvent {
  const before = event.content;
  const startsBefore = before.rule === null ? null : occurrencesIn(event, store.details.timeZone, null);
  event.content = { ...before, ...change };
  if (change.timing !== undefined) event.icalSequence += 1;
  if (startsBefore !== null && (change.timing !== undefined || change.rule !== undefined)) {
    retireStarts(editing, store, event, startsBefore);
  }
  commit(editing, store, event, event.master === null ? 'update' : 'occurrence_update', author, 'updated');
  return event;
}

/** The event stays as a tombstone and keeps its id. */
export function deleteEvent(
  editing: Editing,
  store: CalendarStore,
  event: StoredEvent,
  author: Author,
  operation: WriteOperation = event.master === null ? 'delete' : 'occurrence_delete',
): void {
  event.isCancelled = true;
  for (const exception of event.exceptions?.values() ?? []) {
    exception.isCancelled = true;
    store.noteChange(exception, editing.history.nextSequence());
  }
  commit(editing, store, event, operation, author, 'deleted');
}

export function restoreEvent(editing: Editing, store: CalendarStore, event: StoredEvent, author: Author): void {
  event.isCancelled = false;
  commit(editing, store, event, 'restore', author, 'updated');
}

/** Sets one occurrence apart from its series, changed or cancelled. */
export function setOccurrenceApart(
  editing: Editing,
  store: CalendarStore,
  master: StoredEvent,
  occurrence: Occurrence,
  wish: { id: string; change: Partial<EventContent>; isCancelled: boolean },
  author: Author,
): StoredEvent {
  const content = { ...master.content, rule: null, timing: occurrence.timing, ...wish.change };
  const fresh = { id: wish.id, icalUid: master.icalUid, content };
  const exception = addEvent(editing, store, fresh, { master, originalStart: occurrence.originalStart });
  exception.isCancelled = wish.isCancelled;
  master.exceptions ??= new Map();
  master.exceptions.set(occurrence.originalStart, exception);
  const operation = wish.isCancelled ? 'occurrence_delete' : 'occurrence_update';
  commit(editing, store, exception, operation, author, wish.isCancelled ? 'deleted' : 'updated');
  return exception;
}

function addEvent(
  editing: Editing,
  store: CalendarStore,
  fresh: NewEvent,
  place: { master: StoredEvent; originalStart: number } | null,
): StoredEvent {
  const now = editing.clock.now();
  const event: StoredEvent = {
    id: fresh.id,
    ordinal: store.size,
    icalUid: fresh.icalUid,
    transactionId: fresh.transactionId ?? null,
    createdMs: now,
    master: place?.master ?? null,
    originalStart: place?.originalStart ?? null,
    content: fresh.content,
    isCancelled: false,
    updatedMs: now,
    changeNumber: 0,
    icalSequence: 0,
    exceptions: null,
    retiredStarts: null,
    folderMoves: 0,
  };
  store.add(event);
  return event;
}

/** Occurrences that the changed rule no longer has are gone, and so are the exceptions made of them. */
function retireStarts(editing: Editing, store: CalendarStore, event: StoredEvent, before: Occurrence[]): void {
  const kept = new Set(occurrencesIn(event, store.details.timeZone, null).map(({ originalStart }) => originalStart));
  event.retiredStarts ??= new Set();
  for (const { originalStart } of before) if (!kept.has(originalStart)) event.retiredStarts.add(originalStart);
  for (const start of kept) event.retiredStarts.delete(start);
  for (const [originalStart, exception] of event.exceptions ?? []) {
    if (kept.has(originalStart)) continue;
    exception.isCancelled = true;
    store.noteChange(exception, editing.history.nextSequence());
  }
}

function commit(
  editing: Editing,
  store: CalendarStore,
  event: StoredEvent,
  operation: WriteOperation,
  author: Author,
  kind: ChangeKind,
): void {
  write(editing, store, event, operation, author);
  editing.announce({ store, event, kind });
}

function write(
  editing: Editing,
  store: CalendarStore,
  event: StoredEvent,
  operation: WriteOperation,
  author: Author,
): void {
  const now = editing.clock.now();
  event.updatedMs = now;
  store.noteChange(event, editing.history.nextSequence());
  editing.history.record(store, event, operation, author, now);
}
