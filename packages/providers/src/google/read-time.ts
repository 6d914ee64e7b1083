/**
 * Google's times as instants. Pure.
 *
 * A time is `{dateTime}` with an offset of its own, `{dateTime, timeZone}` without one, or `{date}` for whole days. An
 * offset decides the instant even where `timeZone` names another zone: that one only says where the event was made.
 * Whole days lie in the calendar's zone; their own zone field has no meaning.
 * Source: developers.google.com/workspace/calendar/api/concepts/events-calendars.
 */
import { DateTime, IANAZone } from 'luxon';
import { isRecord } from '../contract/index.ts';

/** Half-open, UTC. */
export interface Span {
  readonly startAt: Date;
  readonly endAt: Date;
}

export type TimeProblem =
  | 'no_start'
  | 'no_end'
  | 'unreadable_time'
  | 'no_time_zone'
  | 'unknown_time_zone'
  | 'end_before_start';

export type SpanReading = Span | { readonly reason: TimeProblem };

/** Where a date begins first on earth, and where it ends last. */
const EARLIEST = 'UTC+14';
const LATEST = 'UTC-12';

const OFFSET = /(?:Z|[+-]\d{2}:?\d{2})$/i;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

const PLAIN =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:Z|[+-][01]\d:[0-5]\d)$/;

/** Names that are zones. Asking the runtime takes longer than everything else about an event. */
const zones = new Set<string>();

function isZone(name: string): boolean {
  if (zones.has(name)) return true;
  if (!IANAZone.isValidZone(name)) return false;
  // There are a few hundred of them, and no end of names that are none: those are not kept.
  zones.add(name);
  return true;
}

/**
 * @param start as Google sent it, of whatever shape.
 * @param calendarZone IANA zone of the calendar; null or unknown: whole days are read as wide as anywhere on earth, since
 * doubt is busy.
 */
export function readSpan(start: unknown, end: unknown, calendarZone: string | null): SpanReading {
  const zone = calendarZone !== null && isZone(calendarZone) ? calendarZone : null;
  const first = readTime(start, zone ?? EARLIEST, 'earliest') ?? { reason: 'no_start' as const };
  if ('reason' in first) return first;
  const last = readTime(end, zone ?? LATEST, 'latest') ?? { reason: 'no_end' as const };
  if ('reason' in last) return last;
  return last.at < first.at ? { reason: 'end_before_start' } : { startAt: first.at, endAt: last.at };
}

type TimeReading = { readonly at: Date } | { readonly reason: TimeProblem };
/** Which of two instants is meant by a local time that the clocks show twice: the one that makes the span longer. */
type Choice = 'earliest' | 'latest';

/** Null when there is no time at all. */
function readTime(time: unknown, dayZone: string, choice: Choice): TimeReading | null {
  if (!isRecord(time)) return null;
  const { date, dateTime, timeZone } = time;
  if (typeof dateTime === 'string') return readDateTime(dateTime, timeZone, choice);
  if (typeof date === 'string') return readDate(date, dayZone);
  return null;
}

function readDateTime(dateTime: string, timeZone: unknown, choice: Choice): TimeReading {
  // As nearly all are written; days that not every month has are left to the library.
  if (PLAIN.test(dateTime)) return { at: new Date(Date.parse(dateTime)) };
  if (OFFSET.test(dateTime)) return instantOf(DateTime.fromISO(dateTime, { setZone: true }), choice);
  if (typeof timeZone !== 'string') return { reason: 'no_time_zone' };
  if (!isZone(timeZone)) return { reason: 'unknown_time_zone' };
  return instantOf(DateTime.fromISO(dateTime, { zone: timeZone }), choice);
}

/**
 * The first instant of the day: one o'clock where the clocks go forward at midnight, and the first of two midnights where
 * they go back to it, since the day before ends with that one.
 */
function readDate(date: string, zone: string): TimeReading {
  if (!DATE.test(date)) return { reason: 'unreadable_time' };
  return instantOf(DateTime.fromISO(date, { zone }).startOf('day'), 'earliest');
}

function instantOf(time: DateTime, choice: Choice): TimeReading {
  if (!time.isValid) return { reason: 'unreadable_time' };
  const instants = time.getPossibleOffsets().map((possible) => possible.toMillis());
  return { at: new Date(choice === 'earliest' ? Math.min(...instants) : Math.max(...instants)) };
}
