import { type CalendarDescription, type EventReading, ProviderError } from '../contract/index.ts';
import type { GoogleCalendar } from './google-calendar.ts';
import { markerOf } from './map-item.ts';
import { ownError } from './own-error.ts';
import { readSpan } from './read-time.ts';

const FIELDS = 'id,status,etag,start,end,extendedProperties/private';

/**
 * Reads by id. Gone is what Google answers as cancelled, with 410, or with 404 on a calendar that can be read: on one
 * that cannot, every event is "not found", and no booking may be taken for deleted.
 */
export async function getEvent(calendar: GoogleCalendar, eventId: string, signal: AbortSignal): Promise<EventReading> {
  try {
    return await readEvent(calendar, 'get_event', eventId, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    if (error.status === 404) await describeCalendar(calendar, 'get_event', signal);
    return { state: 'gone' };
  }
}

/** The id is the key. Without the second look: what follows an absent event is a create, which meets the lost calendar. */
export async function findEvent(calendar: GoogleCalendar, eventId: string, signal: AbortSignal): Promise<EventReading> {
  try {
    return await readEvent(calendar, 'find_event', eventId, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return { state: 'gone' };
  }
}

/**
 * By way of the list of events, which names the zone: `calendars.get` would take one scope more, and does not say
 * anything else that is needed.
 */
export async function describeCalendar(
  calendar: GoogleCalendar,
  operation: 'describe_calendar' | 'get_event' | 'find_event',
  signal: AbortSignal,
): Promise<CalendarDescription> {
  const { calendarId } = calendar;
  const query = { calendarId, maxResults: 1, fields: 'timeZone' };
  const list = await calendar.call({ operation, send: (options) => calendar.events.list(query, options) }, signal);
  return { calendarId, timeZone: list.timeZone ?? null };
}

async function readEvent(
  calendar: GoogleCalendar,
  operation: 'get_event' | 'find_event',
  eventId: string,
  signal: AbortSignal,
): Promise<EventReading> {
  const query = { calendarId: calendar.calendarId, eventId, fields: FIELDS };
  const event = await calendar.call({ operation, send: (options) => calendar.events.get(query, options) }, signal);
  if (event.status === 'cancelled') return { state: 'gone' };
  // Only an event that its owner made all-day needs the calendar's zone, which the event itself does not tell.
  const zone = event.start?.date ? (await describeCalendar(calendar, operation, signal)).timeZone : null;
  const span = readSpan(event.start, event.end, zone);
  if ('reason' in span) {
    throw ownError({ kind: 'transient', operation, reason: span.reason, status: 200 });
  }
  return { state: 'live', event: { eventId, etag: event.etag ?? null, ...span, marker: markerOf(event) } };
}

function isNotFound(error: unknown): error is ProviderError {
  return error instanceof ProviderError && error.kind === 'not_found';
}
