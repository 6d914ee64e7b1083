/**
 * Reads an event that a client wrote, and refuses what Google refuses.
 * See developers.google.com/workspace/calendar/api/v3/reference/events.
 */
import type { Attendee, EventContent, ResponseStatus } from '../calendars/calendar-event.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { parseRule, type RecurrenceRule } from '../calendars/recurrence-rule.ts';
import { allDay, type Timing, timed } from '../calendars/timing.ts';
import { fromWall, isZone, parseDate, parseInstant, parseWall } from '../calendars/zone-time.ts';
import { invalid, refuse } from './errors.ts';
import { readExtendedProperties } from './extended-properties.ts';

export type Body = Readonly<Record<string, unknown>>;

const EVENT_TYPES = ['default', 'birthday', 'focusTime', 'fromGmail', 'outOfOffice', 'workingLocation'];
const RESPONSES: readonly ResponseStatus[] = ['needsAction', 'declined', 'tentative', 'accepted'];

/** Kept and shown, of no meaning to the sandbox. */
const EXTRAS = [
  'colorId',
  'reminders',
  'source',
  'attachments',
  'anyoneCanAddSelf',
  'guestsCanInviteOthers',
  'guestsCanModify',
  'guestsCanSeeOtherGuests',
  'focusTimeProperties',
  'outOfOfficeProperties',
  'workingLocationProperties',
  'birthdayProperties',
  'conferenceData',
];

export function readContent(body: Body, store: CalendarStore): EventContent {
  const rule = readRule(body.recurrence);
  const timing = readTiming(body, store.details.timeZone, rule !== null);
  const status = oneOf(body.status, ['confirmed', 'tentative', 'cancelled'], 'confirmed', 'status');
  const transparency = oneOf(body.transparency, ['opaque', 'transparent'], 'opaque', 'transparency');
  const eventType = oneOf(body.eventType, EVENT_TYPES, 'default', 'eventType');
  const visibility = oneOf(body.visibility, ['default', 'public', 'private', 'confidential'], 'default', 'visibility');
  checkEventType({ eventType, transparency, visibility, timing, store });
  const attendees = readAttendees(body.attendees);
  const own = attendees.find(({ email }) => email === store.details.ownerEmail);
  return {
    timing,
    title: text(body.summary, 'summary'),
    description: text(body.description, 'description'),
    location: text(body.location, 'location'),
    isTentative: status === 'tentative',
    showAs: transparency === 'transparent' ? 'free' : 'busy',
    visibility: visibility === 'default' ? null : visibility,
    eventType,
    attendees,
    organizer: null,
    ownResponse: own?.response ?? null,
    ...readExtendedProperties(body.extendedProperties),
    rule,
    extras: Object.fromEntries(EXTRAS.filter((name) => name in body).map((name) => [name, body[name]])),
  };
}

/** Focus time, out of office and working location live on primary calendars, with fixed free or busy. */
function checkEventType(given: {
  eventType: string;
  transparency: string;
  visibility: string;
  timing: Timing;
  store: CalendarStore;
}): void {
  const { eventType, transparency, visibility, timing, store } = given;
  if (eventType === 'fromGmail') throw invalid('Event type cannot be created.', 'eventType');
  if (eventType === 'default' || eventType === 'birthday') return;
  const malformed = () => refuse(400, 'malformedEvent', 'The event does not follow the rules of its event type.');
  if (!store.details.isPrimary) throw malformed();
  if (eventType === 'workingLocation') {
    if (transparency !== 'transparent' || visibility !== 'public') throw malformed();
  } else if (transparency !== 'opaque' || timing.isAllDay) {
    throw malformed();
  }
}

function readTiming(body: Body, calendarZone: string, isRecurring: boolean): Timing {
  const start = readTime(body.start, 'start', isRecurring);
  const end = readTime(body.end, 'end', isRecurring);
  if (start.isDate !== end.isDate) {
    throw invalid('Start and end times must either both be date or both be dateTime.');
  }
  if (end.ms < start.ms || (start.isDate && end.ms === start.ms)) {
    throw refuse(400, 'timeRangeEmpty', 'The specified time range is empty.', { domain: 'calendar' });
  }
  return start.isDate ? allDay(start.ms, end.ms, calendarZone) : timed(start.ms, end.ms, start.zone, end.zone);
}

/** A `dateTime` needs an offset unless a zone is given; a series needs the zone; a date has none. */
function readTime(value: unknown, name: 'start' | 'end', isRecurring: boolean) {
  if (value === undefined || value === null) throw refuse(400, 'required', `Missing ${name} time.`);
  if (typeof value !== 'object') throw invalid(`Invalid ${name} time.`);
  const { date, dateTime, timeZone } = value as Body;
  if ((date ?? null) !== null) {
    const day = typeof date === 'string' && (dateTime ?? null) === null ? parseDate(date) : null;
    if (day === null) throw invalid(`Invalid ${name} time.`);
    return { isDate: true, ms: day, zone: null };
  }
  if (typeof dateTime !== 'string') throw refuse(400, 'required', `Missing ${name} time.`);
  const zone = timeZone ?? null;
  if (zone !== null && (typeof zone !== 'string' || !isZone(zone))) {
    throw invalid(`Invalid time zone definition for ${name} time.`);
  }
  const wall = parseWall(dateTime);
  const instant = wall === null ? parseInstant(dateTime) : zone === null ? null : fromWall(zone, wall);
  if (wall !== null && zone === null) throw refuse(400, 'required', `Missing time zone definition for ${name} time.`);
  if (instant === null) throw invalid(`Invalid ${name} time.`);
  if (isRecurring && zone === null) throw refuse(400, 'required', `Missing time zone definition for ${name} time.`);
  return { isDate: false, ms: Math.floor(instant / 1000) * 1000, zone };
}

function readRule(value: unknown): RecurrenceRule | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value) || !value.every((line) => typeof line === 'string')) throw invalid('Invalid recurrence.');
  if (value.length === 0) return null;
  const rule = parseRule(value);
  if (rule === null) throw invalid('Invalid recurrence rule.', 'recurrence');
  return rule;
}

function readAttendees(value: unknown): Attendee[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid('Invalid attendees.');
  return value.map((entry: Body | null) => {
    const email = entry?.email;
    if (typeof email !== 'string') throw refuse(400, 'required', 'Missing attendee email.');
    if (!/^[^@\s]+@[^@\s]+$/.test(email)) throw invalid('Invalid attendee email.');
    return {
      email: email.toLowerCase(),
      name: text(entry?.displayName, 'displayName'),
      response: oneOf(entry?.responseStatus, RESPONSES, 'needsAction', 'responseStatus'),
      isOptional: entry?.optional === true,
    };
  });
}

function oneOf<Value extends string>(
  value: unknown,
  allowed: readonly Value[],
  fallback: NoInfer<Value>,
  name: string,
): Value {
  if (value === undefined || value === null) return fallback;
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw invalid(`Invalid value for: ${name}`, name);
  return found;
}

function text(value: unknown, name: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw invalid(`Invalid value for: ${name}`, name);
  return value;
}

export function readBody(text: string): Body {
  try {
    const body: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Body;
  } catch {
    // Refused below, like any other text that is no object.
  }
  throw refuse(400, 'parseError', 'Parse Error');
}

/** Patch semantics: null removes, objects merge, lists replace. */
export function mergePatch(target: Body, patch: Body): Body {
  const merged: Record<string, unknown> = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else if (isObject(value) && isObject(merged[name])) merged[name] = mergePatch(merged[name], value);
    else merged[name] = value;
  }
  return merged;
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
