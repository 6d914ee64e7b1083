/**
 * `events.list`: full listings and increments, page by page.
 * See developers.google.com/workspace/calendar/api/guides/sync.
 */
import { type Answer, ok } from '../answer.ts';
import type { StoredEvent } from '../calendars/calendar-event.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import type { EventRow } from '../calendars/event-row.ts';
import type { Call, Caller } from '../endpoint.ts';
import { sealOpaque } from '../opaque.ts';
import type { SandboxState } from '../state.ts';
import { showRow } from './event-resource.ts';
import { rowsInDelta, rowsInFull, startOf } from './event-rows.ts';
import { applyMask } from './fields-mask.ts';
import { findCalendar } from './find-event.ts';
import { calendarKey, type ListQuery, type PageToken, readListQuery, readView, type SyncToken } from './list-query.ts';
import { needScope } from './protocol.ts';

interface Page {
  readonly rows: readonly EventRow[];
  /** Where the next page begins; null on the last one. */
  readonly next: { readonly position: number; readonly offset: number } | null;
}

export function listEvents(state: SandboxState, call: Call, caller: Caller): Answer {
  needScope(caller, 'read');
  const store = findCalendar(call, caller);
  const now = state.clock.now();
  const { sync_token_seconds: life, max_page_size: pageSize } = state.settings.google;
  const asked = readListQuery(call.query, store, now, life);
  const query = { ...asked, maxResults: Math.min(asked.maxResults, pageSize) };
  const view = readView(call.query, store);
  const upTo = query.pageToken?.upTo ?? state.history.sequence;
  const page = takePage(query, store, upTo, now);
  const { details } = store;
  const body = {
    kind: 'calendar#events',
    etag: `"p${store.lastChangeNumber}"`,
    summary: details.summary,
    description: '',
    updated: new Date(now).toISOString(),
    timeZone: details.timeZone,
    accessRole: details.accessRole,
    defaultReminders: [],
    ...tokens(state, store, query, upTo, page),
    items: page.rows.map((row) => showRow(row, view)),
  };
  return ok(applyMask(call.query.get('fields'), body));
}

/** A page has one token or the other, the sync token only on the last one. */
function tokens(state: SandboxState, store: CalendarStore, query: ListQuery, upTo: number, page: Page) {
  const head = { calendar: calendarKey(store), epoch: store.cursorEpoch };
  if (page.next !== null) {
    const number = (query.pageToken?.page ?? 1) + 1;
    const token: PageToken = { kind: 'page', ...head, query: query.identity, upTo, ...page.next, page: number };
    return { nextPageToken: sealOpaque(token) };
  }
  if (state.settings.google.omit_sync_token || !canBeSynced(query)) return {};
  const issuedMs = state.clock.now();
  const token: SyncToken = { kind: 'sync', ...head, after: upTo, bound: query.bound, issuedMs };
  return { nextSyncToken: sealOpaque(token) };
}

/** A listing that was searched, sorted or cut by something but time is no baseline to go on from. */
function canBeSynced(query: ListQuery): boolean {
  return (
    query.orderBy === null &&
    query.search === null &&
    query.icalUid === null &&
    query.updatedMinMs === null &&
    query.privateProperties.length === 0 &&
    query.sharedProperties.length === 0
  );
}

function takePage(query: ListQuery, store: CalendarStore, upTo: number, nowMs: number): Page {
  if (query.syncToken !== null) {
    const { after } = query.syncToken;
    const from = query.pageToken?.position ?? after + 1;
    const rowsOf = (event: StoredEvent) => rowsInDelta(event, after, query, store, nowMs);
    return collect(changes(store, from, upTo), rowsOf, query);
  }
  if (query.orderBy !== null) return takeSortedPage(query, store);
  const from = query.pageToken?.position ?? 0;
  return collect(places(store, from), (event) => rowsInFull(event, query, store), query);
}

type Place = readonly [position: number, event: StoredEvent];

function* places(store: CalendarStore, from: number): Generator<Place> {
  for (let position = from; position < store.order.length; position += 1) {
    const event = store.order[position];
    if (event !== undefined) yield [position, event];
  }
}

/** What changes while the pages are read has a higher number by then, and waits for the next round. */
function* changes(store: CalendarStore, from: number, upTo: number): Generator<Place> {
  for (const event of store.changesAfter(from - 1)) {
    if (event.changeNumber > upTo) return;
    yield [event.changeNumber, event];
  }
}

function collect(source: Iterable<Place>, rowsOf: (event: StoredEvent) => EventRow[], query: ListQuery): Page {
  const rows: EventRow[] = [];
  for (const [position, event] of source) {
    const own = rowsOf(event);
    let offset = query.pageToken?.position === position ? query.pageToken.offset : 0;
    for (; offset < own.length; offset += 1) {
      const row = own[offset];
      if (rows.length === query.maxResults) return { rows, next: { position, offset } };
      if (row !== undefined) rows.push(row);
    }
  }
  return { rows, next: null };
}

function takeSortedPage(query: ListQuery, store: CalendarStore): Page {
  const all = store.order.flatMap((event) => rowsInFull(event, query, store));
  const key = query.orderBy === 'startTime' ? startOf : (row: EventRow) => row.event.updatedMs;
  all.sort((left, right) => key(left) - key(right));
  const from = query.pageToken?.position ?? 0;
  const end = from + query.maxResults;
  return { rows: all.slice(from, end), next: end < all.length ? { position: end, offset: 0 } : null };
}
