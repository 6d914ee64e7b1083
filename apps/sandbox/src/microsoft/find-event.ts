import type { CalendarStore } from '../calendars/calendar-store.ts';
import { calendarOf, primaryOf } from '../calendars/directory.ts';
import { type EventRow, findRow } from '../calendars/event-row.ts';
import type { Call, Caller } from '../endpoint.ts';
import { accessDenied, itemNotFound, refuse } from './errors.ts';
import { readItemId } from './item-ids.ts';

/** `/me/calendars/{id}/…`, or the account's own calendar where the path names none. */
export function findCalendar(call: Call, caller: Caller): CalendarStore {
  const { calendarId } = call.params;
  if (calendarId === undefined) return primaryOf(caller.account);
  const store = calendarId === 'primary' ? undefined : calendarOf(caller.account, calendarId);
  if (store === undefined) throw itemNotFound();
  return store;
}

export interface FoundEvent {
  readonly store: CalendarStore;
  readonly row: EventRow;
}

/** By its id an event is reached without its calendar, or below the calendar it is in. Deleted ones are not found. */
export function findEvent(call: Call, caller: Caller): FoundEvent {
  const id = readItemId(call.params.eventId ?? '');
  if (id === null) throw refuse(400, 'ErrorInvalidIdMalformed', 'Id is malformed.');
  const stores = call.params.calendarId === undefined ? caller.account.calendars : [findCalendar(call, caller)];
  for (const store of stores) {
    const row = findRow(store, id.internalId);
    if (row === null || row.isCancelled) continue;
    // A mutable id from before a move leads nowhere.
    if (id.folderMoves !== null && id.folderMoves !== row.event.folderMoves) throw itemNotFound();
    return { store, row };
  }
  throw itemNotFound();
}

export function needWriter(store: CalendarStore): void {
  if (store.details.accessRole === 'owner' || store.details.accessRole === 'writer') return;
  throw accessDenied();
}
