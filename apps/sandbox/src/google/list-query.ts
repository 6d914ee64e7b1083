/**
 * Reads the parameters of `events.list`, and refuses what Google refuses.
 * See developers.google.com/workspace/calendar/api/v3/reference/events/list.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { isZone, parseInstant } from '../calendars/zone-time.ts';
import { openOpaque } from '../opaque.ts';
import { fullSyncRequired, invalid, refuse } from './errors.ts';
import type { View } from './event-resource.ts';

const syncTokenShape = z.object({
  kind: z.literal('sync'),
  /** Whose list of which calendar, and its epoch. */
  calendar: z.string(),
  epoch: z.string(),
  after: z.number(),
  bound: z.string(),
  issuedMs: z.number(),
});
export type SyncToken = z.output<typeof syncTokenShape>;

const pageTokenShape = z.object({
  kind: z.literal('page'),
  calendar: z.string(),
  epoch: z.string(),
  query: z.string(),
  /** Everything up to this change is told in this round; what comes later is told in the next. */
  upTo: z.number(),
  /** Where to go on: an event's place or a change's number, and how many rows of it were shown. */
  position: z.number(),
  offset: z.number(),
  page: z.number(),
});
export type PageToken = z.output<typeof pageTokenShape>;

export interface ListQuery {
  readonly singleEvents: boolean;
  readonly showDeleted: boolean;
  readonly timeMinMs: number;
  readonly timeMaxMs: number;
  readonly isBounded: boolean;
  readonly updatedMinMs: number | null;
  readonly maxResults: number;
  readonly orderBy: 'startTime' | 'updated' | null;
  readonly search: string | null;
  readonly icalUid: string | null;
  readonly eventTypes: ReadonlySet<string> | null;
  readonly privateProperties: readonly (readonly [string, string])[];
  readonly sharedProperties: readonly (readonly [string, string])[];
  readonly syncToken: SyncToken | null;
  readonly pageToken: PageToken | null;
  /** What must stay the same from the first sync to the increments. */
  readonly bound: string;
  /** What must stay the same from page to page. */
  readonly identity: string;
}

/** Not combinable with a sync token. */
const FORBIDDEN_WITH_TOKEN = [
  'iCalUID',
  'orderBy',
  'privateExtendedProperty',
  'q',
  'sharedExtendedProperty',
  'timeMin',
  'timeMax',
  'updatedMin',
];

/** All other parameters must equal those of the first sync. */
const BOUND = ['singleEvents', 'eventTypes', 'showHiddenInvitations', 'maxAttendees', 'alwaysIncludeEmail'];
const NOT_IDENTITY = new Set(['pageToken', 'fields', 'prettyPrint', 'alt', 'key', 'quotaUser', 'maxResults']);

export function readListQuery(query: URLSearchParams, store: CalendarStore, nowMs: number, lifeSeconds: number | null) {
  const bound = fingerprint(query, (name) => BOUND.includes(name));
  const identity = fingerprint(query, (name) => !NOT_IDENTITY.has(name));
  const syncToken = readSyncToken(query, store, bound, nowMs, lifeSeconds);
  const singleEvents = readFlag(query, 'singleEvents');
  const orderBy = query.get('orderBy');
  if (orderBy !== null && orderBy !== 'startTime' && orderBy !== 'updated') throw badValue('orderBy');
  if (orderBy === 'startTime' && !singleEvents) {
    throw refuse(400, 'badRequest', 'The requested ordering is not available for the particular query.');
  }
  const timeMinMs = readInstant(query, 'timeMin');
  const timeMaxMs = readInstant(query, 'timeMax');
  if (timeMinMs !== null && timeMaxMs !== null && timeMaxMs <= timeMinMs) {
    throw refuse(400, 'timeRangeEmpty', 'The specified time range is empty.', { domain: 'calendar' });
  }
  const eventTypes = query.getAll('eventTypes');
  const listQuery: ListQuery = {
    singleEvents,
    showDeleted: readFlag(query, 'showDeleted'),
    timeMinMs: timeMinMs ?? Number.NEGATIVE_INFINITY,
    timeMaxMs: timeMaxMs ?? Number.POSITIVE_INFINITY,
    isBounded: timeMinMs !== null || timeMaxMs !== null,
    updatedMinMs: readInstant(query, 'updatedMin'),
    maxResults: readMaxResults(query),
    orderBy,
    search: query.get('q')?.toLowerCase() ?? null,
    icalUid: query.get('iCalUID'),
    eventTypes: eventTypes.length === 0 ? null : new Set(eventTypes),
    privateProperties: readConditions(query, 'privateExtendedProperty'),
    sharedProperties: readConditions(query, 'sharedExtendedProperty'),
    syncToken,
    pageToken: readPageToken(query, store, identity, syncToken !== null),
    bound,
    identity,
  };
  return listQuery;
}

function readSyncToken(
  query: URLSearchParams,
  store: CalendarStore,
  bound: string,
  nowMs: number,
  lifeSeconds: number | null,
): SyncToken | null {
  const text = query.get('syncToken');
  if (text === null) return null;
  const clashing = FORBIDDEN_WITH_TOKEN.filter((name) => query.has(name));
  if (clashing.length > 0) {
    throw refuse(400, 'badRequest', `Sync token cannot be used together with: ${clashing.join(', ')}.`);
  }
  if (query.get('showDeleted') === 'false') {
    throw refuse(400, 'badRequest', 'Deletions are always included with a sync token.');
  }
  const token = openOpaque(text, syncTokenShape);
  if (token === null || token.calendar !== calendarKey(store) || token.epoch !== store.cursorEpoch) {
    throw fullSyncRequired();
  }
  if (lifeSeconds !== null && nowMs > token.issuedMs + lifeSeconds * 1000) throw fullSyncRequired();
  // Google calls the outcome undefined; here it is refused, so that nobody comes to rely on it.
  if (token.bound !== bound) {
    throw refuse(400, 'badRequest', 'The request differs from the one that the sync token was issued for.');
  }
  return token;
}

/** The identical query with `pageToken` added. */
function readPageToken(
  query: URLSearchParams,
  store: CalendarStore,
  identity: string,
  isIncremental: boolean,
): PageToken | null {
  const text = query.get('pageToken');
  if (text === null) return null;
  const token = openOpaque(text, pageTokenShape);
  if (token === null || token.calendar !== calendarKey(store) || token.query !== identity) throw badValue('pageToken');
  if (token.epoch === store.cursorEpoch) return token;
  throw isIncremental ? fullSyncRequired() : badValue('pageToken');
}

export function calendarKey(store: CalendarStore): string {
  return fingerprintText(`${store.details.ownerEmail} ${store.details.id}`);
}

/** The page asked for, counted from 1, without judging the token. */
export function pageOf(query: URLSearchParams): number {
  const text = query.get('pageToken');
  return text === null ? 1 : (openOpaque(text, pageTokenShape)?.page ?? 1);
}

export function readView(query: URLSearchParams, store: CalendarStore): View {
  const timeZone = query.get('timeZone');
  if (timeZone !== null && !isZone(timeZone)) throw badValue('timeZone');
  const maxAttendees = query.get('maxAttendees');
  if (maxAttendees !== null && !/^[1-9]\d*$/.test(maxAttendees)) throw badValue('maxAttendees');
  return {
    store,
    timeZone: timeZone ?? store.details.timeZone,
    maxAttendees: maxAttendees === null ? null : Number(maxAttendees),
  };
}

function readMaxResults(query: URLSearchParams): number {
  const text = query.get('maxResults');
  if (text === null) return 250;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw badValue('maxResults');
  return Math.min(Number(text), 2500);
}

function readFlag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  if (text === null || text === 'false') return false;
  if (text === 'true') return true;
  throw badValue(name);
}

function readInstant(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null) return null;
  const instant = parseInstant(text);
  if (instant === null) throw refuse(400, 'badRequest', 'Bad Request');
  return instant;
}

function readConditions(query: URLSearchParams, name: string) {
  return query.getAll(name).map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw badValue(name);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
}

function badValue(name: string) {
  return invalid(`Invalid value for: ${name}`, name);
}

function fingerprint(query: URLSearchParams, isCounted: (name: string) => boolean): string {
  const pairs = [...query].filter(([name]) => isCounted(name)).map(([name, value]) => `${name}=${value}`);
  return fingerprintText(pairs.sort().join('&'));
}

function fingerprintText(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}
