/**
 * A booking's event at Google: made under an id of ours, patched against the etag it is known by, deleted.
 * https://developers.google.com/workspace/calendar/api/v3/reference/events
 */
import { type EventDraft, type EventTarget, ProviderError, type WrittenEvent } from '../contract/index.ts';
import { writeProperties } from './booking-properties.ts';
import type { GoogleCalendar } from './google-calendar.ts';
import { ownError } from './own-error.ts';
import { findEvent } from './read-event.ts';

/** No mail to anybody: the marketplace writes to its customers itself, and the event has no guests. */
const SEND_UPDATES = 'none';
const FIELDS = 'id,status,etag';

/** A second insert under the same id is refused with 409, which is a `conflict`. */
export async function createEvent(
  calendar: GoogleCalendar,
  draft: EventDraft,
  signal: AbortSignal,
): Promise<WrittenEvent> {
  const eventId = draft.key.googleEventId;
  const query = {
    calendarId: calendar.calendarId,
    sendUpdates: SEND_UPDATES,
    fields: FIELDS,
    // No `iCalUID`: Google takes either an id or that.
    requestBody: {
      id: eventId,
      summary: draft.title,
      ...(draft.description === null ? {} : { description: draft.description }),
      ...(draft.location === null ? {} : { location: draft.location }),
      start: { dateTime: draft.startAt.toISOString(), timeZone: draft.timeZone },
      end: { dateTime: draft.endAt.toISOString(), timeZone: draft.timeZone },
      extendedProperties: { private: writeProperties(draft.marker) },
    },
  };
  const created = await calendar.call(
    { operation: 'create_event', send: (options) => calendar.events.insert(query, options) },
    signal,
  );
  return { eventId: created.id ?? eventId, etag: created.etag ?? null };
}

/**
 * A patch, so that guests, colours and reminders of its owner stay. It does not say `status`: an event that its owner
 * deleted stays deleted, and is `not_found`.
 */
export async function updateEvent(
  calendar: GoogleCalendar,
  target: EventTarget,
  draft: EventDraft,
  signal: AbortSignal,
): Promise<WrittenEvent> {
  const query = {
    calendarId: calendar.calendarId,
    eventId: target.eventId,
    sendUpdates: SEND_UPDATES,
    fields: FIELDS,
    requestBody: {
      summary: draft.title,
      description: draft.description,
      location: draft.location,
      // Without a date, which an event that its owner made all-day would keep beside the time.
      start: { dateTime: draft.startAt.toISOString(), timeZone: draft.timeZone, date: null },
      end: { dateTime: draft.endAt.toISOString(), timeZone: draft.timeZone, date: null },
      extendedProperties: { private: writeProperties(draft.marker) },
    },
  };
  const patched = await calendar
    .call(
      { operation: 'update_event', etag: target.etag, send: (options) => calendar.events.patch(query, options) },
      signal,
    )
    .catch((error: unknown) => rethrowUpdate(calendar, target.eventId, error, signal));
  if (patched.status === 'cancelled') throw deletedEvent(200);
  return { eventId: patched.id ?? target.eventId, etag: patched.etag ?? null };
}

/** A plain refusal has been seen where the event was deleted; whether it was can only be read. */
async function rethrowUpdate(
  calendar: GoogleCalendar,
  eventId: string,
  error: unknown,
  signal: AbortSignal,
): Promise<never> {
  if (error instanceof ProviderError && error.status === 403 && error.reason === 'forbidden') {
    const reading = await findEvent(calendar, eventId, signal);
    if (reading.state === 'gone') throw deletedEvent(403);
  }
  throw error;
}

/** What is gone already (404, 410) is success. */
export async function deleteEvent(calendar: GoogleCalendar, target: EventTarget, signal: AbortSignal): Promise<void> {
  const query = { calendarId: calendar.calendarId, eventId: target.eventId, sendUpdates: SEND_UPDATES };
  try {
    await calendar.call(
      {
        operation: 'delete_event',
        etag: target.etag,
        isBodyless: true,
        send: (options) => calendar.events.delete(query, options),
      },
      signal,
    );
  } catch (error) {
    if (!(error instanceof ProviderError && error.kind === 'not_found')) throw error;
  }
}

function deletedEvent(status: number): ProviderError {
  return ownError({ kind: 'not_found', operation: 'update_event', reason: 'deleted', status });
}
