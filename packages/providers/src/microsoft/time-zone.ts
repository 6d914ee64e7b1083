/**
 * Graph's local times as instants. Pure.
 *
 * Graph writes `{dateTime, timeZone}`: a wall-clock time without an offset, and a zone that is a Windows name, an IANA
 * name or `tzone://Microsoft/…`. We ask for UTC, and get it for timed events. An all-day event is a floating date: it
 * comes as midnight whatever zone was asked for, so its date says which day and only a zone says when that day is.
 * Source: learn.microsoft.com/graph/api/resources/datetimetimezone.
 */
import { DateTime, IANAZone } from 'luxon';
import { findIana } from 'windows-iana';

export interface GraphTime {
  readonly dateTime: string;
  readonly timeZone: string | null;
}

interface Span {
  readonly startAt: Date;
  readonly endAt: Date;
}

export interface SpanParts {
  readonly start: GraphTime;
  readonly end: GraphTime;
  readonly isAllDay: boolean;
  /** The zone the event was made in; any spelling. */
  readonly originalZone: string | null;
  /** The mailbox's zone; any spelling; null when it was refused. */
  readonly mailboxZone: string | null;
}

export type SpanReading = Span | { readonly reason: 'unreadable_time' | 'unknown_time_zone' | 'end_before_start' };

const HOUR_MS = 3_600_000;
/** The first place on earth to see a date, and the last one to leave it. */
const EARLIEST_OFFSET_HOURS = 14;
const LATEST_OFFSET_HOURS = -12;

/** The span an event takes; half-open, UTC. */
export function readSpan(parts: SpanParts): SpanReading {
  const reading =
    parts.isAllDay && isMidnight(parts.start) && isMidnight(parts.end) ? readDays(parts) : readTimes(parts);
  if ('startAt' in reading && reading.endAt < reading.startAt) return { reason: 'end_before_start' };
  return reading;
}

function readTimes({ start, end }: SpanParts): SpanReading {
  const [startZone, endZone] = [resolveZone(start.timeZone), resolveZone(end.timeZone)];
  if (startZone === null || endZone === null) return { reason: 'unknown_time_zone' };
  return spanOf(instantOf(start.dateTime, startZone, 'earliest'), instantOf(end.dateTime, endZone, 'latest'));
}

/** A zone of the event's own wins; without any zone the days are taken as wide as anywhere on earth. */
function readDays({ start, end, originalZone, mailboxZone }: SpanParts): SpanReading {
  const zone = ownZone(start.timeZone) ?? resolveZone(mailboxZone) ?? resolveZone(originalZone);
  if (zone !== null) {
    return spanOf(instantOf(start.dateTime, zone, 'earliest'), instantOf(end.dateTime, zone, 'latest'));
  }
  const [first, last] = [instantOf(start.dateTime, 'UTC', 'earliest'), instantOf(end.dateTime, 'UTC', 'latest')];
  if (first === null || last === null) return { reason: 'unreadable_time' };
  return {
    startAt: new Date(first.getTime() - EARLIEST_OFFSET_HOURS * HOUR_MS),
    endAt: new Date(last.getTime() - LATEST_OFFSET_HOURS * HOUR_MS),
  };
}

/** UTC on an all-day event is what we asked for, not where it lies. */
function ownZone(name: string | null): string | null {
  const zone = resolveZone(name);
  return zone === null || zone === 'UTC' ? null : zone;
}

function spanOf(startAt: Date | null, endAt: Date | null): SpanReading {
  return startAt === null || endAt === null ? { reason: 'unreadable_time' } : { startAt, endAt };
}

function isMidnight(time: GraphTime): boolean {
  return /T00:00(:00([.,]0+)?)?$/.test(time.dateTime);
}

/**
 * The instant of a wall-clock time. In the hour that a clock change repeats, the start is the first and the end the last
 * of the two, so that doubt is busy; a time that a change skips is the moment of the change.
 */
function instantOf(dateTime: string, zone: string, pick: 'earliest' | 'latest'): Date | null {
  if (zone === 'UTC') {
    const utc = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d{1,3})\d*)?$/.exec(dateTime);
    const instant = utc === null ? null : new Date(`${utc[1]}.${(utc[2] ?? '').padEnd(3, '0')}Z`);
    // `Date` turns the 30th of February into the 2nd of March.
    if (instant !== null && isSameTime(instant, utc?.[1])) return instant;
  }
  const local = DateTime.fromISO(dateTime, { zone });
  if (!local.isValid) return null;
  // With an offset of its own the time is not a wall clock's.
  if (/(Z|[+-]\d\d:?\d\d)$/.test(dateTime)) return local.toJSDate();
  const possible = local.getPossibleOffsets();
  return (pick === 'earliest' ? possible.at(0) : possible.at(-1))?.toJSDate() ?? null;
}

function isSameTime(instant: Date, written: string | undefined): boolean {
  return !Number.isNaN(instant.getTime()) && instant.toISOString().slice(0, 19) === written;
}

/** Names that were resolved; the data behind Windows names is searched line by line. */
const resolved = new Map<string, string>([
  ['UTC', 'UTC'],
  ['Etc/UTC', 'UTC'],
  ['Etc/GMT', 'UTC'],
  ['tzone://Microsoft/Utc', 'UTC'],
]);

/** @param name a Windows or IANA zone name. @returns the IANA name; null when it is neither. */
export function resolveZone(name: string | null): string | null {
  if (name === null || name === '') return null;
  const known = resolved.get(name);
  if (known !== undefined) return known;
  const candidates = [...findIana(name, '001'), ...findIana(name), name];
  const zone = candidates.find((candidate) => IANAZone.isValidZone(candidate)) ?? null;
  // Only what resolves is kept: there are a few hundred such names, and no end of others.
  if (zone !== null) resolved.set(name, zone);
  return zone;
}
