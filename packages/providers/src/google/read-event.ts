import type { calendar_v3 } from '@googleapis/calendar';
import { type EventReading, ProviderError, type RemoteEvent } from '../contract/index.ts';
import type { GoogleCalendar } from './google-calendar.ts';
import { isNonEmptyList, markerOf } from './map-item.ts';
import { ownError } from './own-error.ts';
import { readSpan } from './read-time.ts';

type Event = calendar_v3.Schema$Event;

/** What the calls of one reading have in common. */
interface Reading {
  readonly calendar: GoogleCalendar;
  readonly operation: 'get_event' | 'find_event';
  readonly signal: AbortSignal;
}

const FIELDS = 'id,status,etag,recurringEventId,recurrence,start,end,extendedProperties/private';

/**
 * Reads by id. Gone is what Google answers as cancelled, with 410, or with 404 on a calendar that can be read: on one
 * that cannot, every event is "not found", and no booking may be taken for deleted.
 */
export async function getEvent(calendar: GoogleCalendar, eventId: string, signal: AbortSignal): Promise<EventReading> {
  try {
    return await readEvent({ calendar, operation: 'get_event', signal }, eventId);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    if (error.status === 404) await readZone(calendar, 'get_event', signal);
    return { state: 'gone' };
  }
}

/** The id is the key. Without the second look: what follows an absent event is a create, which meets the lost calendar. */
export async function findEvent(calendar: GoogleCalendar, eventId: string, signal: AbortSignal): Promise<EventReading> {
  try {
    return await readEvent({ calendar, operation: 'find_event', signal }, eventId);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return { state: 'gone' };
  }
}

/**
 * The calendar's own zone, by way of the list of events: `calendars.get` would take one scope more, and does not say
 * anything else that is needed. Fails where the calendar cannot be read.
 */
async function readZone(
  calendar: GoogleCalendar,
  operation: 'get_event' | 'find_event',
  signal: AbortSignal,
): Promise<string | null> {
  const query = { calendarId: calendar.calendarId, maxResults: 1, fields: 'timeZone' };
  const list = await calendar.call({ operation, send: (options) => calendar.events.list(query, options) }, signal);
  return list.timeZone ?? null;
}

async function readEvent(reading: Reading, eventId: string): Promise<EventReading> {
  const event = await askForEvent(reading, eventId);
  if (event.status === 'cancelled') return { state: 'gone' };
  const remote = await toRemoteEvent(reading, eventId, event);
  if (!isNonEmptyList(event.recurrence)) return { state: 'live', event: remote };
  const originalStart = event.start?.date ?? remote.startAt.toISOString();
  const first = await readOccurrence(reading, eventId, originalStart);
  return first ?? { state: 'live', event: { ...remote, seriesId: eventId } };
}

/**
 * Of an event that its owner made a series: the occurrence that the series begins with. What happens to it alone is seen
 * and done under its own id, which is the series' with its original start behind it.
 *
 * @returns null when there is none under that id, which proves nothing: one that was deleted is still there, as cancelled.
 */
async function readOccurrence(reading: Reading, seriesId: string, originalStart: string): Promise<EventReading | null> {
  const eventId = `${seriesId}_${originalStart.replace(/[-:]|\.\d+/g, '')}`;
  try {
    const event = await askForEvent(reading, eventId);
    if (event.status === 'cancelled') return { state: 'gone' };
    return { state: 'live', event: await toRemoteEvent(reading, eventId, event) };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return error.status === 404 ? null : { state: 'gone' };
  }
}

function askForEvent({ calendar, operation, signal }: Reading, eventId: string): Promise<Event> {
  const query = { calendarId: calendar.calendarId, eventId, fields: FIELDS };
  return calendar.call({ operation, send: (options) => calendar.events.get(query, options) }, signal);
}

async function toRemoteEvent(
  { calendar, operation, signal }: Reading,
  eventId: string,
  event: Event,
): Promise<RemoteEvent> {
  // Only an event that its owner made all-day needs the calendar's zone, which the event itself does not tell.
  const zone = event.start?.date ? await readZone(calendar, operation, signal) : null;
  const span = readSpan(event.start, event.end, zone);
  if ('reason' in span) {
    throw ownError({ kind: 'transient', operation, reason: span.reason, status: 200 });
  }
  const { id, etag = null, recurringEventId: seriesId = null } = event;
  return { eventId: id ?? eventId, seriesId, etag, ...span, marker: markerOf(event), creationKey: null };
}

function isNotFound(error: unknown): error is ProviderError {
  return error instanceof ProviderError && error.kind === 'not_found';
}
