/**
 * One page of Google's feed: a baseline of the window, or what changed since the cursor.
 * https://developers.google.com/workspace/calendar/api/guides/sync
 */
import type { Change, ChangePage, ListChangesRequest, Tombstone, UnreadableItem } from '../contract/index.ts';
import { readCursor, writeCursor } from './cursor.ts';
import type { GoogleCalendar } from './google-calendar.ts';
import { type ItemContext, mapItem } from './map-item.ts';
import { ownError } from './own-error.ts';

/**
 * The same in every round: a sync token is only good together with the parameters that it was made with. Whoever changes
 * one raises the version in cursor.ts.
 *
 * `showDeleted` is never sent: a baseline needs no deleted events, and an increment has them anyway.
 */
const PARAMETERS = {
  singleEvents: true,
  maxResults: 2500,
  // Only the owner's own answer is asked for; other guests stay at Google.
  maxAttendees: 1,
  // Titles, descriptions and places never arrive.
  fields:
    'nextPageToken,nextSyncToken,timeZone,items(id,status,etag,iCalUID,recurringEventId,recurrence,start,end,' +
    'transparency,eventType,attendees(self,responseStatus),extendedProperties/private)',
} as const;

export async function listChanges(
  calendar: GoogleCalendar,
  request: ListChangesRequest,
  signal: AbortSignal,
): Promise<ChangePage> {
  const { calendarId } = calendar;
  const query = { calendarId, ...PARAMETERS, ...placeInFeed(calendarId, request) };
  const list = await calendar.call(
    { operation: 'list_changes', send: (options) => calendar.events.list(query, options) },
    signal,
  );
  const context: ItemContext = { calendarZone: list.timeZone ?? null, window: request.window };
  const nextPage = list.nextPageToken ?? null;
  return {
    ...mapItems(list.items ?? [], context, request.cursor !== null),
    nextPage,
    cursor: nextPage === null ? writeCursor(calendarId, list.nextSyncToken ?? null) : null,
  };
}

/** The window only travels in a baseline: Google refuses it beside a sync token. */
function placeInFeed(calendarId: string, { cursor, page, window }: ListChangesRequest) {
  const pageToken = page === null ? {} : { pageToken: page };
  if (cursor === null) {
    return { timeMin: window.startAt.toISOString(), timeMax: window.endAt.toISOString(), ...pageToken };
  }
  const reading = readCursor(calendarId, cursor);
  if ('problem' in reading) {
    throw ownError({ kind: 'cursor_expired', operation: 'list_changes', reason: reading.problem });
  }
  return { syncToken: reading.syncToken, ...pageToken };
}

function mapItems(items: readonly unknown[], context: ItemContext, isIncrement: boolean) {
  const changes: Change[] = [];
  const unreadable: UnreadableItem[] = [];
  for (const item of items) {
    const mapped = mapItem(item, context);
    if ('kind' in mapped) changes.push(mapped);
    else unreadable.push(mapped);
  }
  return { changes: isIncrement ? [...seriesTombstones(changes), ...changes] : changes, unreadable };
}

/**
 * An event that its owner turned into a series keeps its id for the series, and its occurrences come under ids of their
 * own. Nothing promises that the feed takes the single event back, so a row held under a series' id is dropped.
 */
function seriesTombstones(changes: readonly Change[]): Tombstone[] {
  const seriesIds = new Set<string>();
  for (const change of changes) {
    if (change.kind === 'event' && change.seriesId !== null) seriesIds.add(change.seriesId);
  }
  return [...seriesIds].map((eventId) => ({ kind: 'tombstone', eventId, seriesId: null }));
}
