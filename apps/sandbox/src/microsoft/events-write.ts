/** Creating, changing, deleting and cancelling events. learn.microsoft.com/graph/api/event-update. */
import type { Answer } from '../answer.ts';
import type { EventContent, StoredEvent } from '../calendars/calendar-event.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { changeEvent, createEvent, deleteEvent, type Editor, setOccurrenceApart } from '../calendars/edit-event.ts';
import { freshEventId } from '../calendars/event-id.ts';
import { type EventRow, rowOf } from '../calendars/event-row.ts';
import { normaliseContent } from '../calendars/normalise-content.ts';
import type { Call, Caller } from '../endpoint.ts';
import type { Author } from '../history.ts';
import type { SandboxState } from '../state.ts';
import { invalidProperty, refuse, staleChangeKey } from './errors.ts';
import { readBody, readChange, readNewEvent } from './event-input.ts';
import { etag } from './event-resource.ts';
import { showOne } from './events-read.ts';
import { findCalendar, findEvent, needWriter } from './find-event.ts';
import { mailGuests } from './guest-mail.ts';
import { checkNeighbours } from './occurrence-bounds.ts';
import { readPreferences } from './preferences.ts';
import { needScope } from './protocol.ts';
import type { Body } from './resource.ts';

/** What each event was created from, to tell a repeated request from another one under the same transaction id. */
const requests = new WeakMap<StoredEvent, string>();

export function insertEvent(state: SandboxState, call: Call, caller: Caller): Answer {
  needScope(caller, 'write');
  const store = findCalendar(call, caller);
  needWriter(store);
  const body = readBody(call.text);
  const transactionId = readTransactionId(body);
  const view = { store, preferences: readPreferences(call) };
  const content = keptOf(state, readNewEvent(body, store));
  if (transactionId !== null && !state.settings.forget.client_ids) {
    const earlier = findEarlier(caller, transactionId);
    if (earlier !== undefined) {
      if (earlier.isCancelled || requests.get(earlier) !== call.text) throw duplicateTransaction();
      return showOne(call, view, rowOf(earlier), 201);
    }
  }
  const id = freshEventId();
  const fresh = { id, icalUid: icalUidOf(id), transactionId, content };
  const event = createEvent({ state, store, author: authorOf(caller) }, fresh);
  requests.set(event, call.text);
  mailGuests(state, store, rowOf(event), 'invitation');
  return showOne(call, view, rowOf(event), 201);
}

/** Not to be confused with another event's. */
const duplicateTransaction = () =>
  refuse(409, 'ErrorDuplicateTransactionId', 'Your request was already processed with another event.');

function findEarlier(caller: Caller, transactionId: string): StoredEvent | undefined {
  for (const store of caller.account.calendars) {
    const found = store.findByTransaction(transactionId);
    if (found !== undefined) return found;
  }
  return undefined;
}

function readTransactionId({ transactionId = null }: Body): string | null {
  if (transactionId !== null && typeof transactionId !== 'string') throw invalidProperty('transactionId must be text.');
  return transactionId;
}

/** The form that Outlook gives its own: a global object id in hexadecimal. */
function icalUidOf(id: string): string {
  return `040000008200E00074C5B7101A82E008${Buffer.from(id).toString('hex').toUpperCase()}`;
}

export function patchEvent(state: SandboxState, call: Call, caller: Caller): Answer {
  needScope(caller, 'write');
  const { store, row } = findEvent(call, caller);
  needWriter(store);
  checkMatch(state, call, row);
  const body = readBody(call.text);
  // It cannot be changed later.
  if (body.transactionId !== undefined && body.transactionId !== row.event.transactionId) {
    throw invalidProperty('The property transactionId cannot be changed.');
  }
  const before = row.occurrence === null ? row.event.content : { ...row.event.content, timing: row.occurrence.timing };
  const change = keptOf(state, readChange(body, store, before));
  const isOccurrence = row.occurrence !== null || row.event.master !== null;
  if (isOccurrence && change.rule != null) throw invalidProperty('An occurrence has no recurrence of its own.');
  if (isOccurrence && change.timing !== undefined) checkNeighbours(store, row, change.timing);
  const event = commitChange({ state, store, author: authorOf(caller) }, row, change);
  mailAll(state, store, event);
  return showOne(call, { store, preferences: readPreferences(call) }, rowOf(event));
}

function keptOf<Content extends Partial<EventContent>>({ settings }: SandboxState, content: Content): Content {
  return settings.normalise.writes ? normaliseContent(content) : content;
}

function commitChange(editor: Editor, { event, occurrence }: EventRow, change: Partial<EventContent>): StoredEvent {
  if (occurrence === null) return changeEvent(editor, event, change);
  return setOccurrenceApart(editor, event, { occurrence, change, isCancelled: false });
}

/** One mail for the event, and one for each instance of it that was changed. */
function mailAll(state: SandboxState, store: CalendarStore, event: StoredEvent): void {
  mailGuests(state, store, rowOf(event), 'update');
  for (const exception of event.exceptions?.values() ?? []) {
    if (!exception.isCancelled) mailGuests(state, store, rowOf(exception), 'update');
  }
}

export function removeEvent(state: SandboxState, call: Call, caller: Caller): Answer {
  needScope(caller, 'write');
  const { store, row } = findEvent(call, caller);
  needWriter(store);
  checkMatch(state, call, row);
  const gone = remove({ state, store, author: authorOf(caller) }, row);
  mailGuests(state, store, rowOf(gone), 'cancellation');
  return { status: 204 };
}

/** For organizers alone, with 202; it is done by the time of the answer here. */
export function cancelEvent(state: SandboxState, call: Call, caller: Caller): Answer {
  needScope(caller, 'write');
  const { store, row } = findEvent(call, caller);
  needWriter(store);
  if (row.event.content.organizer !== null) {
    throw refuse(400, 'ErrorInvalidRequest', 'You need to be an organizer to cancel a meeting.');
  }
  const gone = remove({ state, store, author: authorOf(caller) }, row, 'cancel');
  mailGuests(state, store, rowOf(gone), 'cancellation');
  return { status: 202 };
}

/** @returns what is gone now: the event, or the occurrence by itself. */
function remove(editor: Editor, { event, occurrence }: EventRow, operation?: 'cancel'): StoredEvent {
  if (occurrence !== null) return setOccurrenceApart(editor, event, { occurrence, change: {}, isCancelled: true });
  deleteEvent(editor, event, operation);
  return event;
}

/** The change key is another one after every edit. */
function checkMatch(state: SandboxState, call: Call, row: EventRow): void {
  if (state.settings.forget.if_match) return;
  const wanted = call.header('if-match');
  if (wanted !== undefined && wanted !== '*' && wanted !== etag(row.event)) throw staleChangeKey();
}

function authorOf(caller: Caller): Author {
  return { kind: 'client', clientId: caller.grant.clientId };
}
