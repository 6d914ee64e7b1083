/** Events by id and in lists, occurrences of a series, and the view of a span. */
import { type Answer, ok } from '../answer.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { type EventRow, rowOf, rowsBetween, rowTiming } from '../calendars/event-row.ts';
import { occurrencesIn } from '../calendars/series.ts';
import { overlaps } from '../calendars/timing.ts';
import type { Call, Caller } from '../endpoint.ts';
import type { SandboxState } from '../state.ts';
import { refuse } from './errors.ts';
import { etag, type View } from './event-resource.ts';
import { findCalendar, findEvent } from './find-event.ts';
import { nextLink, type Paging, project, readFilter, readPaging, readProjection, readWindow } from './list-query.ts';
import { readPreferences } from './preferences.ts';
import { needScope } from './protocol.ts';

export function getEvent(call: Call, caller: Caller): Answer {
  needScope(caller, 'basic');
  const { store, row } = findEvent(call, caller);
  return showOne(call, { store, preferences: readPreferences(call) }, row);
}

export function showOne(call: Call, view: View, row: EventRow, status = 200): Answer {
  const json = {
    '@odata.context': contextOf(call, 'events/$entity'),
    ...project(row, view, readProjection(call)),
  };
  return { status, json, headers: { etag: etag(row.event) } };
}

/** Series as their masters, without occurrences. */
export function listEvents(state: SandboxState, call: Call, caller: Caller): Answer {
  needScope(caller, 'basic');
  const store = findCalendar(call, caller);
  const living = store.order.filter((event) => !event.isCancelled && event.master === null).map(rowOf);
  const paging = readPaging(call, readPreferences(call).pageSize);
  const matches = readFilter(call);
  if (matches === null) return listRows(call, store, living, paging);
  // Outlook filters after it pages: a page may be empty before the one that matters. The link says that it was there, since
  // events may come and go before it is followed.
  const isEmpty = living.length > paging.top && state.settings.microsoft.empty_page_every > 0;
  if (isEmpty && paging.skip === 0 && !call.query.has(AFTER_EMPTY)) {
    const next = nextLink(call, { top: paging.top, skip: -paging.top });
    return ok({ value: [], '@odata.nextLink': `${next}&${AFTER_EMPTY}=1` });
  }
  return listRows(call, store, living.filter(matches), paging);
}

const AFTER_EMPTY = '$skiptoken';

export function listCalendarView(call: Call, caller: Caller): Answer {
  needScope(caller, 'basic');
  const store = findCalendar(call, caller);
  const { fromMs, toMs } = readWindow(call);
  const rows = [...rowsBetween(store, fromMs, toMs)].sort((a, b) => rowTiming(a).startMs - rowTiming(b).startMs);
  return listRows(call, store, rows, readPaging(call, readPreferences(call).pageSize));
}

/** All occurrences and exceptions of a series in a span. */
export function listInstances(call: Call, caller: Caller): Answer {
  needScope(caller, 'basic');
  const { store, row } = findEvent(call, caller);
  if (row.event.content.rule === null || row.occurrence !== null) {
    throw refuse(400, 'ErrorInvalidRequest', 'The event is not the master of a series.');
  }
  const rows = seriesRows(store, row.event, readWindow(call));
  rows.sort((a, b) => rowTiming(a).startMs - rowTiming(b).startMs);
  return listRows(call, store, rows, readPaging(call, readPreferences(call).pageSize));
}

/** What of a series lies in a span: its occurrences by rule, and its living exceptions where they are now. */
export function seriesRows(
  store: CalendarStore,
  master: EventRow['event'],
  span: { fromMs: number; toMs: number },
): EventRow[] {
  const rows: EventRow[] = [];
  for (const occurrence of occurrencesIn(master, store.details.timeZone, span, Number.POSITIVE_INFINITY)) {
    if (master.exceptions?.has(occurrence.originalStart) === true) continue;
    rows.push({ event: master, occurrence, isCancelled: false });
  }
  for (const exception of master.exceptions?.values() ?? []) {
    if (!exception.isCancelled && overlaps(exception.content.timing, span.fromMs, span.toMs))
      rows.push(rowOf(exception));
  }
  return rows;
}

function listRows(call: Call, store: CalendarStore, rows: readonly EventRow[], { top, skip }: Paging): Answer {
  const view = { store, preferences: readPreferences(call) };
  const projection = readProjection(call);
  return ok({
    '@odata.context': contextOf(call, 'events'),
    value: rows.slice(skip, skip + top).map((row) => project(row, view, projection)),
    ...(skip + top < rows.length ? { '@odata.nextLink': nextLink(call, { top, skip }) } : {}),
  });
}

export function contextOf(call: Call, what: string): string {
  return `${call.origin}/v1.0/$metadata#${what}`;
}
