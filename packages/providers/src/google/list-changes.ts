import type { calendar_v3 } from '@googleapis/calendar';
import {
  type CalendarSession,
  type Change,
  type ChangePage,
  type ListChangesRequest,
  ProviderError,
  type UnreadableItem,
} from '../contract/index.ts';
import { callGoogle } from './call-google.ts';
import { mapEvent } from './map-event.ts';

/**
 * What is asked for of each event: titles, descriptions and places never arrive. Changing any parameter of the list
 * makes old sync tokens undefined, so the cursor's prefix below must change with it.
 */
const FIELDS =
  'nextPageToken,nextSyncToken,timeZone,items(id,status,etag,start,end,transparency,eventType,recurrence,' +
  'recurringEventId,iCalUID,attendees(self,responseStatus),extendedProperties/private)';
const CURSOR_PREFIX = 'google-1:';

/** One page of `events.list`: a baseline inside the window, or the changes since the cursor (which ignore it). */
export async function listChanges(
  client: calendar_v3.Calendar,
  session: CalendarSession,
  request: ListChangesRequest,
  signal: AbortSignal,
): Promise<ChangePage> {
  const since = request.cursor === null ? windowParams(request) : { syncToken: readCursor(request.cursor) };
  const list = await callGoogle('list_changes', session, signal, (options) =>
    client.events.list(
      {
        calendarId: session.calendarId,
        singleEvents: true,
        maxResults: 2500,
        // Only the owner's own answer matters; other guests stay with Google.
        maxAttendees: 1,
        fields: FIELDS,
        ...since,
        ...(request.page === null ? {} : { pageToken: request.page }),
      },
      options,
    ),
  );
  const nextPage = list.nextPageToken ?? null;
  return {
    ...mapItems(list.items ?? [], list.timeZone ?? null),
    nextPage,
    // A last page without a token was seen in the wild: what came is right, and the next round reads everything again.
    cursor: nextPage === null ? CURSOR_PREFIX + (list.nextSyncToken ?? '') : null,
  };
}

function windowParams({ window }: ListChangesRequest) {
  return { timeMin: window.startAt.toISOString(), timeMax: window.endAt.toISOString() };
}

function readCursor(cursor: string): string {
  const token = cursor.startsWith(CURSOR_PREFIX) ? cursor.slice(CURSOR_PREFIX.length) : '';
  if (token !== '') return token;
  throw new ProviderError({
    kind: 'cursor_expired',
    calendarProvider: 'google',
    operation: 'list_changes',
    status: null,
    reason: 'no_sync_token',
    retryAfterMs: null,
    requestId: null,
    outcomeUnknown: false,
  });
}

function mapItems(items: readonly calendar_v3.Schema$Event[], calendarZone: string | null) {
  const changes: Change[] = [];
  const unreadable: UnreadableItem[] = [];
  for (const item of items) {
    const mapped = mapEvent(item, calendarZone);
    if (mapped === null) continue;
    if ('kind' in mapped) changes.push(mapped);
    else unreadable.push(mapped);
  }
  return { changes, unreadable };
}
