/** Partial answers: `items(id,start/dateTime),nextPageToken`. Masks are parsed once. */
import { refuse } from './errors.ts';

interface Mask {
  readonly [name: string]: Mask | true;
}

const parsed = new Map<string, Mask>();

export function applyMask(fields: string | null, resource: unknown): unknown {
  if (fields === null || fields === '' || fields === '*') return resource;
  return keep(resource, maskOf(fields));
}

function maskOf(fields: string): Mask {
  let mask = parsed.get(fields);
  if (mask === undefined) {
    mask = parseMask(fields);
    if (parsed.size > 1000) parsed.clear();
    parsed.set(fields, mask);
  }
  return mask;
}

function keep(value: unknown, mask: Mask | true): unknown {
  if (mask === true || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => keep(item, mask));
  const source = value as Record<string, unknown>;
  const all = mask['*'];
  const names = all === undefined ? Object.keys(mask) : Object.keys(source);
  const kept: Record<string, unknown> = {};
  for (const name of names) {
    const part = mask[name] ?? all;
    if (part === undefined || source[name] === undefined) continue;
    const inner = keep(source[name], part);
    if (inner !== undefined) kept[name] = inner;
  }
  return kept;
}

function parseMask(text: string): Mask {
  let at = 0;
  const wrong = () =>
    refuse(400, 'invalidParameter', `Invalid field selection ${text}`, {
      locationType: 'parameter',
      location: 'fields',
    });

  const readGroup = (): Mask => {
    const group: Record<string, Mask | true> = {};
    for (;;) {
      const [name, part] = readPath();
      const before = group[name];
      group[name] = before === undefined || before === true || part === true ? part : { ...before, ...part };
      if (text[at] !== ',') return group;
      at += 1;
    }
  };
  const readPath = (): [string, Mask | true] => {
    const name = /^[A-Za-z*][A-Za-z0-9_]*/.exec(text.slice(at))?.[0];
    if (name === undefined) throw wrong();
    at += name.length;
    if (text[at] === '/') {
      at += 1;
      const [inner, part] = readPath();
      return [name, { [inner]: part }];
    }
    if (text[at] !== '(') return [name, true];
    at += 1;
    const group = readGroup();
    if (text[at] !== ')') throw wrong();
    at += 1;
    return [name, group];
  };

  const mask = readGroup();
  if (at !== text.length || !Object.keys(mask).every((name) => TOP_LEVEL.has(name))) throw wrong();
  return mask;
}

/** Names that some resource of the calendar API has at its top: a misspelt one is refused, not ignored. */
const TOP_LEVEL = new Set(
  `* kind etag id items nextPageToken nextSyncToken summary description updated timeZone accessRole defaultReminders
  status htmlLink created location colorId creator organizer start end endTimeUnspecified recurrence recurringEventId
  originalStartTime transparency visibility iCalUID sequence attendees attendeesOmitted extendedProperties hangoutLink
  conferenceData gadget anyoneCanAddSelf guestsCanInviteOthers guestsCanModify guestsCanSeeOtherGuests privateCopy locked
  reminders source attachments eventType workingLocationProperties outOfOfficeProperties focusTimeProperties
  birthdayProperties calendars groups timeMin timeMax primary selected hidden deleted conferenceProperties resourceId
  resourceUri token expiration address payload params type backgroundColor foregroundColor summaryOverride
  notificationSettings dataOwner autoAcceptInvitations`.split(/\s+/),
);
