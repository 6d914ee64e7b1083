/**
 * Which rows one event contributes to a listing.
 * See developers.google.com/workspace/calendar/api/v3/reference/events/list.
 */
import type { StoredEvent } from '../calendars/calendar-event.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { type EventRow, rowOf, rowTiming } from '../calendars/event-row.ts';
import { FLOOD, type Occurrence, occurrencesIn } from '../calendars/series.ts';
import { overlaps } from '../calendars/timing.ts';
import { DAY_MS } from '../calendars/zone-time.ts';
import type { ListQuery } from './list-query.ts';

/** Rows of a full listing: what lies in the window, tombstones only where they were asked for. */
export function rowsInFull(event: StoredEvent, query: ListQuery, store: CalendarStore): EventRow[] {
  if (!passesFilters(event, query)) return [];
  if (event.content.rule !== null) return seriesInFull(event, query, store);
  if (!overlaps(event.content.timing, query.timeMinMs, query.timeMaxMs)) return [];
  if (!event.isCancelled) return [rowOf(event)];
  // A cancelled exception of a living series is news, not a tombstone, as long as series are not expanded.
  const isHole = event.master !== null && !event.master.isCancelled && !query.singleEvents;
  return query.showDeleted || isHole ? [rowOf(event)] : [];
}

function seriesInFull(master: StoredEvent, query: ListQuery, store: CalendarStore): EventRow[] {
  if (master.isCancelled && !query.showDeleted) return [];
  const span = query.isBounded ? { fromMs: query.timeMinMs, toMs: query.timeMaxMs } : null;
  const occurrences = occurrencesIn(master, store.details.timeZone, span, query.singleEvents ? FLOOD : 1);
  if (!query.singleEvents) return occurrences.length === 0 ? [] : [rowOf(master)];
  return occurrences
    .filter(({ originalStart }) => master.exceptions?.has(originalStart) !== true)
    .map((occurrence) => ({ event: master, occurrence, isCancelled: master.isCancelled }));
}

/**
 * Rows of an increment: deletions always, and no window, not even that of the first sync. A series that was touched
 * comes with all its occurrences, years ahead.
 */
export function rowsInDelta(
  event: StoredEvent,
  after: number,
  query: ListQuery,
  store: CalendarStore,
  nowMs: number,
): EventRow[] {
  if (query.eventTypes !== null && !query.eventTypes.has(event.content.eventType)) return [];
  if (!query.singleEvents) return [rowOf(event)];
  // An exception comes along with its series when that was touched too.
  if (event.master !== null) return event.master.changeNumber > after ? [] : [rowOf(event)];
  if (event.content.rule === null) return event.retiredStarts === null ? [rowOf(event)] : formerSeries(event);
  return event.isCancelled ? deletedSeries(event, store, nowMs) : touchedSeries(event, store);
}

function touchedSeries(master: StoredEvent, store: CalendarStore): EventRow[] {
  const living = occurrencesIn(master, store.details.timeZone, null).map((occurrence) => {
    const exception = master.exceptions?.get(occurrence.originalStart);
    return exception === undefined ? { event: master, occurrence, isCancelled: false } : rowOf(exception);
  });
  return [...living, ...retiredRows(master), ...strayExceptions(master, living)];
}

/** Deleting a long series gave cancelled instances for only about six months. */
function deletedSeries(master: StoredEvent, store: CalendarStore, nowMs: number): EventRow[] {
  const span = { fromMs: nowMs - 183 * DAY_MS, toMs: nowMs + 183 * DAY_MS };
  return occurrencesIn(master, store.details.timeZone, span).map((occurrence) => {
    const exception = master.exceptions?.get(occurrence.originalStart);
    return exception === undefined ? { event: master, occurrence, isCancelled: true } : rowOf(exception);
  });
}

/** A series that became a single event: itself, and its occurrences as gone. */
function formerSeries(event: StoredEvent): EventRow[] {
  return [rowOf(event), ...retiredRows(event), ...strayExceptions(event, [])];
}

function retiredRows(master: StoredEvent): EventRow[] {
  const starts = [...(master.retiredStarts ?? [])].filter((start) => master.exceptions?.has(start) !== true);
  return starts.map((originalStart): EventRow => {
    const occurrence: Occurrence = { originalStart, timing: master.content.timing };
    return { event: master, occurrence, isCancelled: true };
  });
}

/** Exceptions of occurrences that the rule no longer has. */
function strayExceptions(master: StoredEvent, shown: readonly EventRow[]): EventRow[] {
  const ids = new Set(shown.map(({ event }) => event.id));
  const all = [...(master.exceptions?.values() ?? [])];
  return all.filter((exception) => !ids.has(exception.id)).map(rowOf);
}

function passesFilters(event: StoredEvent, query: ListQuery): boolean {
  const { content } = event;
  if (query.updatedMinMs !== null && event.updatedMs < query.updatedMinMs) return false;
  if (query.icalUid !== null && event.icalUid !== query.icalUid) return false;
  if (query.eventTypes !== null && !query.eventTypes.has(content.eventType)) return false;
  if (!meetsConditions(content.privateProperties, query.privateProperties)) return false;
  if (!meetsConditions(content.sharedProperties, query.sharedProperties)) return false;
  if (query.search === null) return true;
  const text = [content.title, content.description, content.location].join(' ').toLowerCase();
  return text.includes(query.search);
}

/** Repeats of one kind mean "or"; the two kinds together mean "and". */
function meetsConditions(
  properties: Readonly<Record<string, string>>,
  conditions: readonly (readonly [string, string])[],
): boolean {
  return conditions.length === 0 || conditions.some(([key, value]) => properties[key] === value);
}

/** For listings in the order of time. */
export function startOf(row: EventRow): number {
  return rowTiming(row).startMs;
}
