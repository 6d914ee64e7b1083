/**
 * `events.insert`, `patch`, `update` and `delete`.
 * See developers.google.com/workspace/calendar/api/v3/reference/events.
 */
import { type Answer, ok } from '../answer.ts';
import type { EventContent, StoredEvent } from '../calendars/calendar-event.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { changeEvent, createEvent, deleteEvent, type Editor, setOccurrenceApart } from '../calendars/edit-event.ts';
import { freshEventId } from '../calendars/event-id.ts';
import { type EventRow, rowOf } from '../calendars/event-row.ts';
import { normaliseContent } from '../calendars/normalise-content.ts';
import type { Call, Caller } from '../endpoint.ts';
import type { SandboxState } from '../state.ts';
import { conditionNotMet, invalid, refuse } from './errors.ts';
import { type Body, mergePatch, readBody, readContent } from './event-input.ts';
import { etag, showRow } from './event-resource.ts';
import { applyMask } from './fields-mask.ts';
import { findCalendar, findEvent, needWriter } from './find-event.ts';
import { mailGuests } from './guest-mail.ts';
import { readView } from './list-query.ts';
import { needScope } from './protocol.ts';

/** Base32hex, lower case, 5 to 1024 characters. */
const EVENT_ID = /^[0-9a-v]{5,1024}$/;

/** One request that writes. */
interface Writing extends Editor {
  readonly state: SandboxState;
  readonly call: Call;
}

export function insertEvent(state: SandboxState, call: Call, caller: Caller): Answer {
  const writing = openForWriting(state, call, caller);
  const { store } = writing;
  const body = readBody(call.text);
  const { id, icalUid } = readIdentity(state, body, store);
  const content = keptOf(state, readContent(body, store));
  if (body.status === 'cancelled') throw invalid('Invalid value for: status', 'status');
  const event = createEvent(writing, { id, icalUid, content });
  mailGuests(writing, rowOf(event), 'invitation');
  return shown(call, store, rowOf(event));
}

/** `id` or `iCalUID`, not both; an id once used stays used, even when its event was deleted. */
function readIdentity(state: SandboxState, body: Body, store: CalendarStore): { id: string; icalUid: string } {
  const { id = null, iCalUID = null } = body;
  if (id !== null && iCalUID !== null) throw invalid('Only one of id and iCalUID may be given.', 'iCalUID');
  if (iCalUID !== null && typeof iCalUID !== 'string') throw invalid('Invalid value for: iCalUID', 'iCalUID');
  if (id !== null && (typeof id !== 'string' || !EVENT_ID.test(id))) throw invalid('Invalid resource id value.');
  const own = typeof id === 'string' && !state.settings.forget.client_ids ? id : freshEventId();
  if (store.get(own) !== undefined) throw refuse(409, 'duplicate', 'The requested identifier already exists.');
  return { id: own, icalUid: typeof iCalUID === 'string' ? iCalUID : `${own}@google.com` };
}

export function patchEvent(state: SandboxState, call: Call, caller: Caller): Answer {
  return write(openForWriting(state, call, caller), (row, body, store) =>
    mergePatch(showRow(row, { store, timeZone: store.details.timeZone, maxAttendees: null }), body),
  );
}

/** PUT: what is left out falls back to its default. */
export function updateEvent(state: SandboxState, call: Call, caller: Caller): Answer {
  return write(openForWriting(state, call, caller), (_row, body) => body);
}

function write(writing: Writing, complete: (row: EventRow, body: Body, store: CalendarStore) => Body): Answer {
  const { state, call, store } = writing;
  const row = findEvent(call, store);
  checkMatch(state, call, row);
  // An update of a deleted event has answered 403.
  if (row.isCancelled) throw refuse(403, 'forbidden', 'Forbidden');
  const body = complete(row, readBody(call.text), store);
  if (body.status === 'cancelled') return shown(call, store, rowOf(remove(writing, row)));
  const { organizer } = row.event.content;
  const content = { ...keptOf(state, readContent(body, store)), organizer };
  if (content.eventType !== row.event.content.eventType) {
    throw refuse(400, 'eventTypeRestriction', 'Event type cannot be changed.', { domain: 'calendar' });
  }
  checkOrganizer(row, content);
  const event = commitContent(writing, row, content);
  mailGuests(writing, rowOf(event), 'update');
  return shown(call, store, rowOf(event));
}

function keptOf({ settings }: SandboxState, content: EventContent): EventContent {
  return settings.normalise.writes ? normaliseContent(content) : content;
}

function commitContent(editor: Editor, { event, occurrence }: EventRow, content: EventContent): StoredEvent {
  if (occurrence === null) return changeEvent(editor, event, content);
  return setOccurrenceApart(editor, event, { occurrence, change: { ...content, rule: null }, isCancelled: false });
}

/** Only the organizer changes what all guests share; leaving it out of an update counts as a change. */
function checkOrganizer(row: EventRow, next: EventContent): void {
  const { content } = row.event;
  if (content.organizer === null || content.extras.guestsCanModify === true) return;
  const timing = row.occurrence?.timing ?? content.timing;
  const isSame =
    content.title === next.title &&
    content.description === next.description &&
    content.location === next.location &&
    timing.startMs === next.timing.startMs &&
    timing.endMs === next.timing.endMs;
  if (isSame) return;
  throw refuse(
    403,
    'forbiddenForNonOrganizer',
    'Shared properties can only be changed by the organizer of the event.',
    {
      domain: 'calendar',
    },
  );
}

export function removeEvent(state: SandboxState, call: Call, caller: Caller): Answer {
  const writing = openForWriting(state, call, caller);
  const row = findEvent(call, writing.store);
  // Deleting what is deleted needs no action.
  if (row.isCancelled) throw refuse(410, 'deleted', 'Resource has been deleted');
  checkMatch(state, call, row);
  remove(writing, row);
  return { status: 204 };
}

/** @returns what is gone now: the event, or the occurrence by itself. */
function remove(writing: Writing, { event, occurrence }: EventRow): StoredEvent {
  let gone = event;
  if (occurrence === null) deleteEvent(writing, event);
  else gone = setOccurrenceApart(writing, event, { occurrence, change: {}, isCancelled: true });
  mailGuests(writing, rowOf(gone), 'cancellation');
  return gone;
}

function openForWriting(state: SandboxState, call: Call, caller: Caller): Writing {
  needScope(caller, 'write');
  const store = findCalendar(call, caller);
  needWriter(store);
  return { state, call, store, author: { kind: 'client', clientId: caller.grant.clientId } };
}

/** A stale `If-Match` is refused. */
function checkMatch(state: SandboxState, call: Call, row: EventRow): void {
  if (state.settings.forget.if_match) return;
  const wanted = call.header('if-match');
  if (wanted !== undefined && wanted !== '*' && wanted !== etag(row.event)) throw conditionNotMet();
}

function shown(call: Call, store: CalendarStore, row: EventRow): Answer {
  const resource = showRow(row, readView(call.query, store));
  return ok(applyMask(call.query.get('fields'), resource), { etag: etag(row.event) });
}
