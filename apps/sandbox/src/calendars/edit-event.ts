/** The only ways an event changes. Each is one committed write: numbered, recorded, announced. */

import type { SandboxClock } from '../clock.ts';
import type { Author, History, WriteOperation } from '../history.ts';
import type { EventContent, StoredEvent } from './calendar-event.ts';
import type { CalendarStore } from './calendar-store.ts';
import { occurrenceId } from './event-row.ts';
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

/** Who edits which calendar. */
export interface Editor {
  readonly state: Editing;
  readonly store: CalendarStore;
  readonly author: Author;
}

export interface NewEvent {
  readonly id: string;
  readonly icalUid: string;
  readonly transactionId?: string | null;
  readonly content: EventContent;
}

export function createEvent(editor: Editor, fresh: NewEvent): StoredEvent {
  const event = addEvent(editor, fresh, null);
  commit(editor, event, 'create');
  return event;
}

/** Many at once, announced once, with the last one. */
export function fillCalendar(editor: Editor, many: Iterable<NewEvent>): number {
  let count = 0;
  let last: StoredEvent | null = null;
  for (const fresh of many) {
    last = addEvent(editor, fresh, null);
    write(editor, last, 'create');
    count += 1;
  }
  if (last !== null) announce(editor, last, 'create');
  return count;
}

export function changeEvent(editor: Editor, event: StoredEvent, change: Partial<EventContent>): StoredEvent {
  const before = event.content;
  const startsBefore = before.rule === null ? null : occurrencesIn(event, editor.store.details.timeZone, null);
  event.content = { ...before, ...change };
  if (change.timing !== undefined) event.icalSequence += 1;
  if (startsBefore !== null && (change.timing !== undefined || change.rule !== undefined)) {
    retireStarts(editor, event, startsBefore);
  }
  commit(editor, event, event.master === null ? 'update' : 'occurrence_update');
  return event;
}

/** The event stays as a tombstone and keeps its id. */
export function deleteEvent(
  editor: Editor,
  event: StoredEvent,
  operation: WriteOperation = event.master === null ? 'delete' : 'occurrence_delete',
): void {
  event.isCancelled = true;
  for (const exception of event.exceptions?.values() ?? []) cancelAlong(editor, exception);
  commit(editor, event, operation);
}

export function restoreEvent(editor: Editor, event: StoredEvent): void {
  event.isCancelled = false;
  commit(editor, event, 'restore');
}

export interface OccurrenceWish {
  readonly occurrence: Occurrence;
  readonly change: Partial<EventContent>;
  readonly isCancelled: boolean;
}

/** Sets one occurrence apart from its series, changed or cancelled. */
export function setOccurrenceApart(editor: Editor, master: StoredEvent, wish: OccurrenceWish): StoredEvent {
  const { timing, originalStart } = wish.occurrence;
  const content = { ...master.content, rule: null, timing, ...wish.change };
  const fresh = { id: occurrenceId(master, originalStart), icalUid: master.icalUid, content };
  const exception = addEvent(editor, fresh, { master, originalStart });
  exception.isCancelled = wish.isCancelled;
  master.exceptions ??= new Map();
  master.exceptions.set(originalStart, exception);
  commit(editor, exception, wish.isCancelled ? 'occurrence_delete' : 'occurrence_update');
  return exception;
}

function addEvent(
  { state, store }: Editor,
  fresh: NewEvent,
  place: { master: StoredEvent; originalStart: number } | null,
): StoredEvent {
  const now = state.clock.now();
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
function retireStarts(editor: Editor, event: StoredEvent, before: Occurrence[]): void {
  const now = occurrencesIn(event, editor.store.details.timeZone, null);
  const kept = new Set(now.map(({ originalStart }) => originalStart));
  event.retiredStarts ??= new Set();
  for (const { originalStart } of before) if (!kept.has(originalStart)) event.retiredStarts.add(originalStart);
  for (const start of kept) event.retiredStarts.delete(start);
  for (const [originalStart, exception] of event.exceptions ?? []) {
    if (!kept.has(originalStart)) cancelAlong(editor, exception);
  }
}

/** Part of the write to its series, which is the one that is recorded and announced. */
function cancelAlong({ state, store }: Editor, exception: StoredEvent): void {
  exception.isCancelled = true;
  store.noteChange(exception, state.history.nextSequence());
}

function commit(editor: Editor, event: StoredEvent, operation: WriteOperation): void {
  write(editor, event, operation);
  announce(editor, event, operation);
}

function write({ state, store, author }: Editor, event: StoredEvent, operation: WriteOperation): void {
  const now = state.clock.now();
  event.updatedMs = now;
  store.noteChange(event, state.history.nextSequence());
  state.history.record(store, event, operation, author, now);
}

const CHANGE_KINDS: Readonly<Record<WriteOperation, ChangeKind>> = {
  create: 'created',
  update: 'updated',
  occurrence_update: 'updated',
  restore: 'updated',
  delete: 'deleted',
  occurrence_delete: 'deleted',
  cancel: 'deleted',
};

function announce({ state, store }: Editor, event: StoredEvent, operation: WriteOperation): void {
  state.announce({ store, event, kind: CHANGE_KINDS[operation] });
}
