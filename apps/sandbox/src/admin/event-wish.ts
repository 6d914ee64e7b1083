/** Reads an event as the admin API takes it, for either provider. */
import { z } from 'zod';
import { EMPTY_CONTENT, type EventContent } from '../calendars/calendar-event.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { parseRule } from '../calendars/recurrence-rule.ts';
import { allDay, type Timing, timed } from '../calendars/timing.ts';
import { DAY_MS, fromWall, isZone, parseDate, parseInstant, parseWall } from '../calendars/zone-time.ts';
import { AdminError } from './admin-answer.ts';

const attendeeShape = z.object({
  email: z.email(),
  name: z.string().nullable().default(null),
  response_status: z.enum(['needsAction', 'declined', 'tentative', 'accepted']).default('needsAction'),
  optional: z.boolean().default(false),
});

export const eventWishShape = z
  .object({
    /** Google: the event's id; Graph makes its own. */
    id: z.string().min(1),
    ical_uid: z.string().min(1),
    transaction_id: z.string().min(1),
    title: z.string().nullable(),
    description: z.string().nullable(),
    location: z.string().nullable(),
    /** An instant with offset, a local time (with `time_zone`), or a date for all-day events. */
    start: z.string(),
    end: z.string(),
    time_zone: z.string().refine(isZone, 'must be an IANA time zone'),
    status: z.enum(['confirmed', 'tentative']),
    /** Google's word; the same as `show_as: free` or `busy`. */
    transparency: z.enum(['opaque', 'transparent']),
    show_as: z.enum(['free', 'tentative', 'busy', 'oof', 'workingElsewhere', 'unknown']),
    visibility: z.string().nullable(),
    event_type: z.enum(['default', 'birthday', 'focusTime', 'fromGmail', 'outOfOffice', 'workingLocation']),
    /** The owner's own answer; makes the event somebody else's invitation unless `organizer` says otherwise. */
    response_status: z.enum(['needsAction', 'declined', 'tentative', 'accepted']).nullable(),
    organizer: z.object({ email: z.email(), name: z.string().nullable().default(null) }).nullable(),
    attendees: z.array(attendeeShape),
    recurrence: z.array(z.string()).nullable(),
    properties: z.record(z.string(), z.string()),
    shared_properties: z.record(z.string(), z.string()),
    /** Further fields in the provider's own words, shown as they are. */
    extras: z.record(z.string(), z.unknown()),
  })
  .partial()
  .strict();

export type EventWish = z.output<typeof eventWishShape>;

export function contentFromWish(wish: EventWish, store: CalendarStore): EventContent {
  if (wish.start === undefined) throw new AdminError(400, 'invalid', 'start: is missing');
  const content = { ...EMPTY_CONTENT, ...changeFromWish(wish, store, null) };
  return content as EventContent;
}

/** Only what the wish names. */
export function changeFromWish(wish: EventWish, store: CalendarStore, before: Timing | null): Partial<EventContent> {
  const { ownerEmail } = store.details;
  const change: { -readonly [Name in keyof EventContent]?: EventContent[Name] } = {};
  for (const name of ['title', 'description', 'location', 'visibility', 'extras'] as const) {
    if (wish[name] !== undefined) Object.assign(change, { [name]: wish[name] });
  }
  if (wish.start !== undefined || wish.end !== undefined) change.timing = timingFromWish(wish, store, before);
  if (wish.status !== undefined) change.isTentative = wish.status === 'tentative';
  if (wish.transparency !== undefined) change.showAs = wish.transparency === 'transparent' ? 'free' : 'busy';
  if (wish.show_as !== undefined) change.showAs = wish.show_as;
  if (wish.event_type !== undefined) change.eventType = wish.event_type;
  if (wish.properties !== undefined) change.privateProperties = wish.properties;
  if (wish.shared_properties !== undefined) change.sharedProperties = wish.shared_properties;
  if (wish.recurrence !== undefined) change.rule = ruleFromWish(wish.recurrence);
  if (wish.organizer !== undefined) change.organizer = wish.organizer;
  if (wish.attendees !== undefined) {
    change.attendees = wish.attendees.map(({ email, name, response_status: response, optional: isOptional }) => ({
      email: email.toLowerCase(),
      name,
      response,
      isOptional,
    }));
  }
  if (wish.response_status !== undefined && wish.response_status !== null) {
    const own = { email: ownerEmail, name: null, response: wish.response_status, isOptional: false };
    change.ownResponse = wish.response_status;
    change.organizer = wish.organizer ?? { email: 'organizer@example.com', name: 'Some Organizer' };
    change.attendees = [...(change.attendees ?? []).filter(({ email }) => email !== ownerEmail), own];
  }
  return change;
}

function ruleFromWish(lines: readonly string[] | null) {
  if (lines === null || lines.length === 0) return null;
  const rule = parseRule(lines);
  if (rule === null) throw new AdminError(400, 'invalid', 'recurrence: not understood');
  return rule;
}

/** A wish with a start alone moves the event and keeps its length. */
function timingFromWish(wish: EventWish, store: CalendarStore, before: Timing | null): Timing {
  const zone = wish.time_zone ?? before?.startZone ?? null;
  const calendarZone = store.details.timeZone;
  const start = wish.start === undefined ? startOf(before) : readTime(wish.start, zone ?? calendarZone);
  const end = wish.end === undefined ? endAfter(start, before) : readTime(wish.end, zone ?? calendarZone);
  if (start.isDate !== end.isDate) throw new AdminError(400, 'invalid', 'end: must be a date when start is one');
  if (end.ms < start.ms) throw new AdminError(400, 'invalid', 'end: must not be before start');
  if (start.isDate) return allDay(start.ms, Math.max(end.ms, start.ms + DAY_MS), calendarZone);
  return timed(start.ms, end.ms, zone ?? calendarZone);
}

interface Moment {
  readonly isDate: boolean;
  readonly ms: number;
}

function startOf(before: Timing | null): Moment {
  if (before === null) throw new AdminError(400, 'invalid', 'start: is missing');
  return before.startDay === null ? { isDate: false, ms: before.startMs } : { isDate: true, ms: before.startDay };
}

function endAfter(start: Moment, before: Timing | null): Moment {
  if (start.isDate) {
    const days = before?.startDay == null || before.endDay === null ? DAY_MS : before.endDay - before.startDay;
    return { isDate: true, ms: start.ms + days };
  }
  const length = before === null || before.isAllDay ? 3_600_000 : before.endMs - before.startMs;
  return { isDate: false, ms: start.ms + length };
}

function readTime(text: string, zone: string): Moment {
  const day = parseDate(text);
  if (day !== null) return { isDate: true, ms: day };
  const wall = parseWall(text);
  const instant = wall === null ? parseInstant(text) : fromWall(zone, wall);
  if (instant === null) throw new AdminError(400, 'invalid', 'start, end: must be a date or an ISO 8601 time');
  return { isDate: false, ms: Math.floor(instant / 1000) * 1000 };
}
