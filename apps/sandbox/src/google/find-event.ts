import type { CalendarStore } from '../calendars/calendar-store.ts';
import { calendarOf } from '../calendars/directory.ts';
import { type EventRow, findRow } from '../calendars/event-row.ts';
import type { Call, Caller } from '../endpoint.ts';
import { notFound, refuse } from './errors.ts';

/**
 * What is not there and what may not be seen answer alike.
 * See developers.google.com/workspace/calendar/api/guides/errors.
 */
export function findCalendar(call: Call, caller: Caller): CalendarStore {
  const store = calendarOf(caller.account, call.params.calendarId ?? '');
  if (store === undefined) throw notFound();
  return store;
}

export function findEvent(call: Call, store: CalendarStore): EventRow {
  const row = findRow(store, call.params.eventId ?? '');
  if (row === null) throw notFound();
  return row;
}

export function needWriter(store: CalendarStore): void {
  if (store.details.accessRole === 'owner' || store.details.accessRole === 'writer') return;
  throw refuse(403, 'requiredAccessLevel', 'You need to have writer access to this calendar.', { domain: 'calendar' });
}
