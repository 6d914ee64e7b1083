/** `calendars.get` and `calendarList`. */
import { type Answer, ok } from '../answer.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { calendarOf } from '../calendars/directory.ts';
import type { Call, Caller } from '../endpoint.ts';
import { notFound } from './errors.ts';
import { applyMask } from './fields-mask.ts';
import { findCalendar } from './find-event.ts';
import { needScope } from './protocol.ts';

const CONFERENCES = { allowedConferenceSolutionTypes: ['hangoutsMeet'] };

export function getCalendar(call: Call, caller: Caller): Answer {
  needScope(caller, 'calendar');
  const { details } = findCalendar(call, caller);
  const calendar = {
    kind: 'calendar#calendar',
    etag: `"c${details.timeZone}"`,
    id: details.id,
    summary: details.summary,
    timeZone: details.timeZone,
    conferenceProperties: CONFERENCES,
    dataOwner: details.ownerEmail,
  };
  return ok(applyMask(call.query.get('fields'), calendar));
}

export function listCalendars(call: Call, caller: Caller): Answer {
  needScope(caller, 'calendarList');
  const items = caller.account.calendars.map(listEntry);
  return ok(applyMask(call.query.get('fields'), { kind: 'calendar#calendarList', etag: '"p1"', items }));
}

export function getListEntry(call: Call, caller: Caller): Answer {
  needScope(caller, 'calendarList');
  const store = calendarOf(caller.account, call.params.calendarId ?? '');
  if (store === undefined) throw notFound();
  return ok(applyMask(call.query.get('fields'), listEntry(store)));
}

function listEntry({ details }: CalendarStore) {
  return {
    kind: 'calendar#calendarListEntry',
    etag: `"${details.id.length}${details.timeZone}"`,
    id: details.id,
    summary: details.summary,
    timeZone: details.timeZone,
    selected: true,
    accessRole: details.accessRole,
    defaultReminders: [],
    ...(details.isPrimary ? { primary: true } : {}),
    conferenceProperties: CONFERENCES,
  };
}
