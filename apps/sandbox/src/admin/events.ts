/** What a calendar's owner does by hand. */
import { seededRandom } from '@bookiji/runtime';
import { z } from 'zod';
import { EMPTY_CONTENT } from '../calendars/calendar-event.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import {
  changeEvent,
  createEvent,
  deleteEvent,
  type Editor,
  fillCalendar,
  restoreEvent,
  setOccurrenceApart,
} from '../calendars/edit-event.ts';
import { freshEventId } from '../calendars/event-id.ts';
import { type EventRow, findRow, rowId, rowOf, rowsBetween, rowTiming } from '../calendars/event-row.ts';
import { timed } from '../calendars/timing.ts';
import { dateText, parseInstant } from '../calendars/zone-time.ts';
import { OWNER } from '../history.ts';
import { readItemId, showItemId } from '../microsoft/item-ids.ts';
import type { SandboxState } from '../state.ts';
import { storeOf } from './accounts.ts';
import { type AdminCall, AdminError } from './admin-answer.ts';
import { changeFromWish, contentFromWish, eventWishShape } from './event-wish.ts';

export function addEvent(state: SandboxState, call: AdminCall) {
  const store = storeOf(state, call);
  const wish = eventWishShape.parse(call.body);
  const id = store.details.provider === 'google' ? (wish.id ?? freshEventId()) : freshEventId();
  if (store.get(id) !== undefined) throw new AdminError(409, 'duplicate', 'the calendar has had an event with this id');
  const icalUid = wish.ical_uid ?? `${id}@${store.details.provider}.example`;
  const content = contentFromWish(wish, store);
  const transactionId = wish.transaction_id ?? null;
  return describeRow(store, rowOf(createEvent(byOwner(state, store), { id, icalUid, transactionId, content })));
}

export function changeEventByHand(state: SandboxState, call: AdminCall) {
  const store = storeOf(state, call);
  const row = rowFor(store, call);
  const change = changeFromWish(eventWishShape.parse(call.body), store, rowTiming(row));
  const editor = byOwner(state, store);
  const { event, occurrence } = row;
  if (occurrence === null) return describeRow(store, rowOf(changeEvent(editor, event, change)));
  return describeRow(store, rowOf(setOccurrenceApart(editor, event, { occurrence, change, isCancelled: false })));
}

export function deleteEventByHand(state: SandboxState, call: AdminCall): void {
  const store = storeOf(state, call);
  const row = rowFor(store, call);
  if (row.isCancelled) throw new AdminError(410, 'deleted', 'the event is deleted already');
  const editor = byOwner(state, store);
  const { event, occurrence } = row;
  if (occurrence === null) deleteEvent(editor, event);
  else setOccurrenceApart(editor, event, { occurrence, change: {}, isCancelled: true });
}

/** Out of the bin again. */
export function restoreEventByHand(state: SandboxState, call: AdminCall) {
  const store = storeOf(state, call);
  const row = rowFor(store, call);
  if (row.occurrence !== null || !row.isCancelled) throw new AdminError(409, 'not_deleted', 'the event is not deleted');
  restoreEvent(byOwner(state, store), row.event);
  return describeRow(store, rowOf(row.event));
}

/** To another folder and back: Graph's mutable ids change with it, immutable ones do not. */
export function moveFolderByHand(state: SandboxState, call: AdminCall) {
  const store = storeOf(state, call);
  const row = rowFor(store, call);
  if (row.occurrence !== null) throw new AdminError(400, 'invalid', 'a series moves as a whole');
  row.event.folderMoves += 1;
  return describeRow(store, rowOf(changeEvent(byOwner(state, store), row.event, {})));
}

export function getEventByHand(state: SandboxState, call: AdminCall) {
  const store = storeOf(state, call);
  return describeRow(store, rowFor(store, call));
}

/** `?from=&to=`: the living events of a span, series expanded; without them everything stored, deleted ones too. */
export function listEventsByHand(state: SandboxState, call: AdminCall) {
  const store = storeOf(state, call);
  const [from, to] = ['from', 'to'].map((name) => parseInstant(call.query.get(name) ?? ''));
  const rows = from == null || to == null ? store.order.map(rowOf) : [...rowsBetween(store, from, to)];
  return { events: rows.map((row) => describeRow(store, row)) };
}

const fillShape = z
  .object({
    count: z.number().int().min(1).max(1_000_000),
    from: z.string().transform((text) => parseInstant(text) ?? Number.NaN),
    spacing_minutes: z.number().min(1).default(60),
    duration_minutes: z.number().min(1).default(30),
    title: z.string().default('Filled'),
    /** Share of free, all-day and deleted-looking variety: every n-th event is transparent. 0: none. */
    free_every: z.number().int().min(0).default(0),
    /** Shifts each start by up to this many minutes, the same for the same seed. */
    jitter_minutes: z.number().min(0).default(0),
    seed: z.number().int().default(1),
  })
  .strict();

export function fillByHand(state: SandboxState, call: AdminCall) {
  const store = storeOf(state, call);
  const wish = fillShape.parse(call.body);
  if (Number.isNaN(wish.from)) throw new AdminError(400, 'invalid', 'from: must be an ISO 8601 instant');
  const chance = seededRandom(wish.seed);
  const many = function* () {
    for (let number = 0; number < wish.count; number += 1) {
      const shift = Math.floor(chance() * wish.jitter_minutes) * 60_000;
      const startMs = wish.from + number * wish.spacing_minutes * 60_000 + shift;
      const timing = timed(startMs, startMs + wish.duration_minutes * 60_000, store.details.timeZone);
      const showAs = wish.free_every > 0 && (number + 1) % wish.free_every === 0 ? 'free' : 'busy';
      const id = freshEventId();
      const content = { ...EMPTY_CONTENT, timing, title: `${wish.title} ${number + 1}`, showAs } as const;
      yield { id, icalUid: `${id}@sandbox`, content };
    }
  };
  return { created: fillCalendar(byOwner(state, store), many()) };
}

function byOwner(state: SandboxState, store: CalendarStore): Editor {
  return { state, store, author: OWNER };
}

function rowFor(store: CalendarStore, call: AdminCall): EventRow {
  const id = call.params.eventId ?? '';
  const internalId = store.details.provider === 'google' ? id : (readItemId(id)?.internalId ?? id);
  const row = findRow(store, internalId);
  if (row === null) throw new AdminError(404, 'unknown_event', 'the calendar has no such event');
  return row;
}

export function describeRow(store: CalendarStore, row: EventRow) {
  const { event } = row;
  const { content } = event;
  const timing = rowTiming(row);
  const isGoogle = store.details.provider === 'google';
  return {
    id: isGoogle ? rowId(row) : showItemId(rowId(row), event.folderMoves, 'immutable'),
    ...(isGoogle ? {} : { mutable_id: showItemId(rowId(row), event.folderMoves, 'mutable') }),
    series_id: row.occurrence === null ? (event.master?.id ?? null) : event.id,
    status: row.isCancelled ? 'cancelled' : content.isTentative ? 'tentative' : 'confirmed',
    title: content.title,
    description: content.description,
    location: content.location,
    all_day: timing.isAllDay,
    start: timing.startDay === null ? new Date(timing.startMs).toISOString() : dateText(timing.startDay),
    end: timing.endDay === null ? new Date(timing.endMs).toISOString() : dateText(timing.endDay),
    start_at: new Date(timing.startMs).toISOString(),
    end_at: new Date(timing.endMs).toISOString(),
    time_zone: timing.startZone,
    show_as: content.showAs,
    event_type: content.eventType,
    response_status: content.ownResponse,
    organizer: content.organizer?.email ?? store.details.ownerEmail,
    recurrence: row.occurrence === null ? (content.rule?.lines ?? null) : null,
    properties: content.privateProperties,
    ical_uid: event.icalUid,
    transaction_id: event.transactionId,
    change_number: event.changeNumber,
  };
}
