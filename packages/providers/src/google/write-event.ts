import type { calendar_v3 } from '@googleapis/calendar';
import {
  type CalendarSession,
  type EventDraft,
  type EventReading,
  type EventTarget,
  ProviderError,
  type WrittenEvent,
} from '../contract/index.ts';
import { callGoogle, ifMatch } from './call-google.ts';
import { MARKER_KEYS, readInterval, readMarker } from './map-event.ts';

type Client = calendar_v3.Calendar;

const READ_FIELDS = 'id,status,etag,start,end,extendedProperties/private';
const WRITE_FIELDS = 'id,etag';
/** The marketplace writes to its customers itself. */
const sendUpdates = 'none';

/** Creates under an id of our own: a repeated insert is refused with 409 instead of making a second event. */
export async function createEvent(
  client: Client,
  session: CalendarSession,
  draft: EventDraft,
  signal: AbortSignal,
): Promise<WrittenEvent> {
  const requestBody = { ...toBody(draft), id: draft.key.googleEventId };
  const created = await callGoogle('create_event', session, signal, (options) =>
    client.events.insert({ calendarId: session.calendarId, sendUpdates, fields: WRITE_FIELDS, requestBody }, options),
  );
  return toWritten(created, draft.key.googleEventId);
}

/** Patches in place: guests and what else the owner added stay. */
export async function updateEvent(
  client: Client,
  session: CalendarSession,
  target: EventTarget,
  draft: EventDraft,
  signal: AbortSignal,
): Promise<WrittenEvent> {
  // Said explicitly, for a patch may meet an event that its owner made all-day or deleted.
  const requestBody = { ...toBody(draft), status: 'confirmed' };
  const params = {
    calendarId: session.calendarId,
    eventId: target.eventId,
    sendUpdates,
    fields: WRITE_FIELDS,
    requestBody,
  };
  const patched = await callGoogle(
    'update_event',
    session,
    signal,
    (options) => client.events.patch(params, options),
    ifMatch(target.etag),
  );
  return toWritten(patched, target.eventId);
}

/** Deletes; an event that is gone already (404, 410) is success. */
export async function deleteEvent(
  client: Client,
  session: CalendarSession,
  target: EventTarget,
  signal: AbortSignal,
): Promise<void> {
  const params = { calendarId: session.calendarId, eventId: target.eventId, sendUpdates };
  try {
    await callGoogle(
      'delete_event',
      session,
      signal,
      (options) => client.events.delete(params, options),
      ifMatch(target.etag),
    );
  } catch (error) {
    if (!(error instanceof ProviderError && error.kind === 'not_found')) throw error;
  }
}

/** Reads by id. Google answers with a deleted event as `cancelled`: that too is proof that it is gone. */
export async function getEvent(
  client: Client,
  session: CalendarSession,
  eventId: string,
  signal: AbortSignal,
  operation: 'get_event' | 'find_event' = 'get_event',
): Promise<EventReading> {
  try {
    const event = await callGoogle(operation, session, signal, (options) =>
      client.events.get({ calendarId: session.calendarId, eventId, fields: READ_FIELDS }, options),
    );
    if (event.status === 'cancelled') return { state: 'gone' };
    const interval = readInterval(event, null);
    if ('reason' in interval) throw unreadable(operation, interval.reason);
    return { state: 'live', event: { eventId, etag: event.etag ?? null, marker: readMarker(event), ...interval } };
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'not_found') return { state: 'gone' };
    throw error;
  }
}

function toBody(draft: EventDraft): calendar_v3.Schema$Event {
  return {
    summary: draft.title,
    description: draft.description ?? '',
    location: draft.location ?? '',
    // `date: null` turns an event that became all-day back into a timed one.
    start: { dateTime: draft.startAt.toISOString(), timeZone: draft.timeZone, date: null },
    end: { dateTime: draft.endAt.toISOString(), timeZone: draft.timeZone, date: null },
    extendedProperties: {
      private: {
        [MARKER_KEYS.booking]: draft.marker.bookingId,
        [MARKER_KEYS.connection]: draft.marker.connectionId,
        [MARKER_KEYS.generation]: String(draft.marker.generation),
        [MARKER_KEYS.version]: String(draft.marker.version),
      },
    },
  };
}

function toWritten(event: calendar_v3.Schema$Event, eventId: string): WrittenEvent {
  return { eventId: event.id ?? eventId, etag: event.etag ?? null };
}

function unreadable(operation: 'get_event' | 'find_event', reason: string): ProviderError {
  return new ProviderError({
    kind: 'transient',
    calendarProvider: 'google',
    operation,
    status: 200,
    reason,
    retryAfterMs: null,
    requestId: null,
    outcomeUnknown: false,
  });
}
