/**
 * Reads an event that a client wrote, and refuses what Graph refuses.
 * See learn.microsoft.com/graph/api/user-post-events.
 */
import { type Attendee, EMPTY_CONTENT, type EventContent, type ShowAs } from '../calendars/calendar-event.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { invalidProperty, refuse } from './errors.ts';
import { readTiming } from './event-timing.ts';
import { mergeProperties } from './extended-properties.ts';
import { readRecurrence } from './recurrence.ts';
import type { Body, Resource } from './resource.ts';

const SHOW_AS: readonly ShowAs[] = ['free', 'tentative', 'busy', 'oof', 'workingElsewhere', 'unknown'];
const SENSITIVITIES = ['normal', 'personal', 'private', 'confidential'];
const MOST_ATTENDEES = 500;

/** Kept and shown, of no meaning to the sandbox. */
const EXTRAS = [
  'categories',
  'importance',
  'reminderMinutesBeforeStart',
  'isReminderOn',
  'responseRequested',
  'allowNewTimeProposals',
  'hideAttendees',
  'isOnlineMeeting',
  'onlineMeetingProvider',
  'locations',
];

const KNOWN = new Set([
  ...EXTRAS,
  'subject',
  'body',
  'location',
  'start',
  'end',
  'isAllDay',
  'showAs',
  'sensitivity',
  'attendees',
  'recurrence',
  'singleValueExtendedProperties',
  'transactionId',
  'originalStartTimeZone',
  'originalEndTimeZone',
]);

/** A new event: start and end are required. */
export function readNewEvent(body: Body, store: CalendarStore): EventContent {
  const change = readChange(body, store, null);
  if (change.timing === undefined) throw invalidProperty('At least one property failed validation: Start, End.');
  return { ...EMPTY_CONTENT, ...change } as EventContent;
}

/** An update keeps what it leaves out. */
export function readChange(body: Body, store: CalendarStore, before: EventContent | null): Partial<EventContent> {
  for (const name of Object.keys(body)) {
    if (!KNOWN.has(name) && !name.startsWith('@')) throw unknownProperty(name);
  }
  const change: { -readonly [Name in keyof EventContent]?: EventContent[Name] } = {};
  if (body.subject !== undefined) change.title = text(body.subject, 'subject');
  if (body.body !== undefined) change.description = readBodyText(body.body);
  if (body.location !== undefined) change.location = readLocation(body.location);
  if (body.showAs !== undefined) change.showAs = oneOf(body.showAs, SHOW_AS, 'showAs');
  if (body.showAs !== undefined) change.isTentative = body.showAs === 'tentative';
  if (body.sensitivity !== undefined) change.visibility = oneOf(body.sensitivity, SENSITIVITIES, 'sensitivity');
  if (body.attendees !== undefined) change.attendees = readAttendees(body.attendees);
  if (body.start !== undefined || body.end !== undefined || body.isAllDay !== undefined) {
    change.timing = readTiming(body, store, before?.timing ?? null);
  }
  if (body.recurrence !== undefined) {
    const timing = change.timing ?? before?.timing;
    if (timing !== undefined) change.rule = readRecurrence(body.recurrence, timing, store.details.timeZone);
  }
  if (body.singleValueExtendedProperties !== undefined) {
    change.privateProperties = mergeProperties(before?.privateProperties ?? {}, body.singleValueExtendedProperties);
  }
  const extras = Object.fromEntries(EXTRAS.filter((name) => name in body).map((name) => [name, body[name]]));
  if (Object.keys(extras).length > 0) change.extras = { ...before?.extras, ...extras };
  return change;
}

const unknownProperty = (name: string) =>
  refuse(400, 'RequestBodyRead', `The property '${name}' does not exist on type 'Microsoft.OutlookServices.Event'.`);

function readBodyText(value: unknown): string | null {
  if (value === null) return null;
  const { content = '' } = value as Resource;
  if (typeof content !== 'string') throw invalidProperty('At least one property failed validation: Body.');
  return content;
}

function readLocation(value: unknown): string | null {
  if (value === null) return null;
  const { displayName = '' } = value as Resource;
  if (typeof displayName !== 'string') throw invalidProperty('At least one property failed validation: Location.');
  return displayName;
}

function readAttendees(value: unknown): Attendee[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw invalidProperty('At least one property failed validation: Attendees.');
  // At most 500.
  if (value.length > MOST_ATTENDEES) throw invalidProperty(`An event may have at most ${MOST_ATTENDEES} attendees.`);
  return value.map((one: Resource | null) => {
    const { address, name } = (one?.emailAddress ?? {}) as Resource;
    if (typeof address !== 'string' || !/^[^@\s]+@[^@\s]+$/.test(address)) {
      throw refuse(400, 'ErrorInvalidRecipients', 'At least one recipient is not valid.');
    }
    return {
      email: address.toLowerCase(),
      name: typeof name === 'string' ? name : null,
      response: 'needsAction',
      isOptional: one?.type === 'optional',
    };
  });
}

function oneOf<Value extends string>(value: unknown, allowed: readonly Value[], name: string): Value {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw refuse(400, 'RequestBodyRead', `Cannot convert the literal of '${name}'.`);
  return found;
}

function text(value: unknown, name: string): string | null {
  if (value !== null && typeof value !== 'string') throw refuse(400, 'RequestBodyRead', `Cannot convert '${name}'.`);
  return value;
}

export function readBody(text: string): Body {
  try {
    const body: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Body;
  } catch {
    // Refused below, like any other text that is no object.
  }
  throw refuse(400, 'BadRequest', 'Unable to read JSON request payload.');
}
