/** An event as Google shows it. developers.google.com/workspace/calendar/api/v3/reference/events. */
import type { Attendee, StoredEvent } from '../calendars/calendar-event.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { type EventRow, rowId, rowTiming } from '../calendars/event-row.ts';
import type { Timing } from '../calendars/timing.ts';
import { dateText, offsetText } from '../calendars/zone-time.ts';
import { etagOf } from '../history.ts';

export interface View {
  readonly store: CalendarStore;
  /** Zone in which times are written: the request's, else the calendar's. */
  readonly timeZone: string;
  readonly maxAttendees: number | null;
}

export type Resource = Record<string, unknown>;

export function etag(event: StoredEvent): string {
  return `"${etagOf(event)}"`;
}

export function showRow(row: EventRow, view: View): Resource {
  const head = { kind: 'calendar#event', etag: etag(row.event), id: rowId(row) };
  const instance = instanceFields(row, view);
  if (row.isCancelled && isBare(row)) return { ...head, status: 'cancelled', ...instance };
  const status = row.isCancelled ? 'cancelled' : row.event.content.isTentative ? 'tentative' : 'confirmed';
  return { ...head, status, ...details(row, view), ...instance };
}

/**
 * Of a cancelled exception only id, series and original start are sure; of any other deleted event only the id,
 * but on the organizer's own calendar the details stay.
 */
function isBare(row: EventRow): boolean {
  return row.occurrence !== null || row.event.master !== null || row.event.content.organizer !== null;
}

function instanceFields(row: EventRow, view: View): Resource {
  const { event, occurrence } = row;
  const master = occurrence === null ? event.master : event;
  const originalStart = occurrence?.originalStart ?? event.originalStart;
  if (master === null || originalStart === null) return {};
  const original = master.content.timing.isAllDay
    ? { date: dateText(originalStart) }
    : { dateTime: offsetText(view.timeZone, originalStart), timeZone: zoneOf(master.content.timing.startZone, view) };
  return { recurringEventId: master.id, originalStartTime: original };
}

function details(row: EventRow, view: View): Resource {
  const { event } = row;
  const { content } = event;
  const timing = rowTiming(row);
  const owner = view.store.details.ownerEmail;
  const organizer = content.organizer ?? { email: owner, name: null };
  const person = personOf(organizer, owner);
  return {
    htmlLink: `https://www.google.com/calendar/event?eid=${Buffer.from(`${rowId(row)} ${owner}`).toString('base64url')}`,
    created: new Date(event.createdMs).toISOString(),
    updated: new Date(event.updatedMs).toISOString(),
    ...(content.title === null ? {} : { summary: content.title }),
    ...(content.description === null ? {} : { description: content.description }),
    ...(content.location === null ? {} : { location: content.location }),
    creator: person,
    organizer: person,
    ...showTiming(timing, view),
    ...(content.rule === null || row.occurrence !== null ? {} : { recurrence: content.rule.lines }),
    ...(content.showAs === 'free' ? { transparency: 'transparent' } : {}),
    ...(content.visibility === null ? {} : { visibility: content.visibility }),
    iCalUID: event.icalUid,
    sequence: event.icalSequence,
    ...showAttendees(content.attendees, organizer.email, view),
    ...showProperties(event),
    reminders: { useDefault: true },
    ...content.extras,
    eventType: content.eventType,
  };
}

function personOf(person: { email: string; name: string | null }, owner: string): Resource {
  return {
    email: person.email,
    ...(person.name === null ? {} : { displayName: person.name }),
    ...(person.email === owner ? { self: true } : {}),
  };
}

export function showTiming(timing: Timing, view: View): { start: Resource; end: Resource } {
  if (timing.startDay !== null && timing.endDay !== null) {
    return { start: { date: dateText(timing.startDay) }, end: { date: dateText(timing.endDay) } };
  }
  return {
    start: { dateTime: offsetText(view.timeZone, timing.startMs), timeZone: zoneOf(timing.startZone, view) },
    end: { dateTime: offsetText(view.timeZone, timing.endMs), timeZone: zoneOf(timing.endZone, view) },
  };
}

function zoneOf(zone: string | null, view: View): string {
  return zone ?? view.store.details.timeZone;
}

/** `self` marks the entry of the calendar this copy is on; `maxAttendees` trims the list to the participant. */
function showAttendees(attendees: readonly Attendee[], organizerEmail: string, view: View): Resource {
  if (attendees.length === 0) return {};
  const owner = view.store.details.ownerEmail;
  const isTrimmed = view.maxAttendees !== null && attendees.length > view.maxAttendees;
  const shown = isTrimmed ? attendees.filter(({ email }) => email === owner) : attendees;
  return {
    attendees: shown.map((attendee) => ({
      email: attendee.email,
      ...(attendee.name === null ? {} : { displayName: attendee.name }),
      ...(attendee.email === organizerEmail ? { organizer: true } : {}),
      ...(attendee.email === owner ? { self: true } : {}),
      ...(attendee.isOptional ? { optional: true } : {}),
      responseStatus: attendee.response,
    })),
    ...(isTrimmed ? { attendeesOmitted: true } : {}),
  };
}

function showProperties(event: StoredEvent): Resource {
  const { privateProperties, sharedProperties } = event.content;
  const hasPrivate = Object.keys(privateProperties).length > 0;
  const hasShared = Object.keys(sharedProperties).length > 0;
  if (!hasPrivate && !hasShared) return {};
  return {
    extendedProperties: {
      ...(hasPrivate ? { private: privateProperties } : {}),
      ...(hasShared ? { shared: sharedProperties } : {}),
    },
  };
}
