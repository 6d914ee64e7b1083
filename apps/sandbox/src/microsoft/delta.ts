/**
 * `calendarView/delta`: a first round over the window, then what changed.
 * See learn.microsoft.com/graph/delta-query-events.
 */
import { type Answer, ok } from '../answer.ts';
import type { StoredEvent } from '../calendars/calendar-event.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import type { Call, Caller } from '../endpoint.ts';
import { sealOpaque } from '../opaque.ts';
import type { SandboxState } from '../state.ts';
import { changedRoots, itemsInDelta, itemsInFull } from './delta-rows.ts';
import { type DeltaToken, readPlace } from './delta-token.ts';
import type { View } from './event-resource.ts';
import { contextOf } from './events-read.ts';
import { findCalendar } from './find-event.ts';
import { readPreferences } from './preferences.ts';
import { needScope } from './protocol.ts';
import type { Resource } from './resource.ts';

const DEFAULT_PAGE_SIZE = 10;

interface Page {
  readonly items: readonly Resource[];
  /** Where the next page begins; null on the last one. */
  readonly next: number | null;
}

export function readDelta(state: SandboxState, call: Call, caller: Caller): Answer {
  needScope(caller, 'basic');
  const store = findCalendar(call, caller);
  const { delta_token_seconds: life, max_page_size: most } = state.settings.microsoft;
  const now = { sequence: sequenceShown(state), ms: state.clock.now() };
  const place = readPlace(call, store, now, life);
  const view: View = { store, preferences: readPreferences(call) };
  const pageSize = Math.min(view.preferences.pageSize ?? DEFAULT_PAGE_SIZE, most);
  const isEmpty = isEmptyPage(state, place);
  const page = isEmpty ? { items: [], next: place.position } : takePage(place, store, view, pageSize);
  const repeated = isEmpty ? [] : repeatLast(state, place, store, view);
  const link = linkTo(call, place, page.next, { isEmpty, nowMs: now.ms });
  return ok({ '@odata.context': contextOf(call, 'Collection(event)'), value: [...repeated, ...page.items], ...link });
}

/** There are delays between a change and its appearance here. */
function sequenceShown(state: SandboxState): number {
  const { feed_lag_ms: lag } = state.settings.microsoft;
  return lag === 0 ? state.history.sequence : state.history.sequenceAt(state.clock.now() - lag);
}

/** A page may be empty and still have a nextLink; here every n-th is, but never two in a row. */
function isEmptyPage(state: SandboxState, place: DeltaToken): boolean {
  const every = state.settings.microsoft.empty_page_every;
  return every > 0 && place.page % every === 0 && !place.wasEmpty;
}

function takePage(place: DeltaToken, store: CalendarStore, view: View, pageSize: number): Page {
  const items: Resource[] = [];
  for (const [position, event] of placesFrom(place, store, place.position)) {
    const own = itemsOf(place, event, view);
    // A series comes on one page, however long it is.
    if (items.length > 0 && items.length + own.length > pageSize) return { items, next: position };
    items.push(...own);
  }
  return { items, next: null };
}

function itemsOf(place: DeltaToken, event: StoredEvent, view: View): Resource[] {
  return place.after === null ? itemsInFull(event, place, view) : itemsInDelta(event, place, view);
}

function* placesFrom(place: DeltaToken, store: CalendarStore, from: number) {
  if (place.after !== null) return yield* changedRoots(store, from, place.upTo);
  for (let position = from; position < store.order.length; position += 1) {
    const event = store.order[position];
    if (event !== undefined) yield [position, event] as const;
  }
}

/** The same item may appear several times: the last one of the page before comes again, if it is a single event. */
function repeatLast(state: SandboxState, place: DeltaToken, store: CalendarStore, view: View): Resource[] {
  if (!state.settings.microsoft.repeat_items || place.page === 1) return [];
  if (place.after !== null) return [];
  for (let position = place.position - 1; position >= 0; position -= 1) {
    const event = store.order[position];
    if (event === undefined || event.content.rule !== null) return [];
    const items = itemsInFull(event, place, view);
    if (items.length > 0) return items;
  }
  return [];
}

function linkTo(
  call: Call,
  place: DeltaToken,
  next: number | null,
  page: { isEmpty: boolean; nowMs: number },
): Resource {
  const address = `${call.origin}${call.path}`;
  if (next === null) {
    const token: DeltaToken = { ...place, kind: 'delta', issuedMs: page.nowMs };
    return { '@odata.deltaLink': `${address}?$deltatoken=${sealOpaque(token)}` };
  }
  const token: DeltaToken = { ...place, kind: 'skip', position: next, page: place.page + 1, wasEmpty: page.isEmpty };
  return { '@odata.nextLink': `${address}?$skiptoken=${sealOpaque(token)}` };
}
