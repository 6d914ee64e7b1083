import { DateTime } from 'luxon';

/** The zones at both ends of the world: where a date begins first and where it ends last. */
const EARLIEST = 'UTC+14';
const LATEST = 'UTC-12';

/**
 * An all-day span in the zone its calendar lies in: from the first instant of the first day to the first instant of
 * the day after the last. A day may have 23 or 25 hours, and may begin at one o'clock.
 *
 * @param startDate first day, `YYYY-MM-DD`.
 * @param endDate day after the last, exclusive, `YYYY-MM-DD`.
 * @param timeZone IANA name; null when nobody could say: then the widest reading, since doubt is busy.
 * @returns null when a date or the zone does not exist.
 */
export function allDayInterval(
  startDate: string,
  endDate: string,
  timeZone: string | null,
): { startAt: Date; endAt: Date } | null {
  const start = DateTime.fromISO(startDate, { zone: timeZone ?? EARLIEST }).startOf('day');
  const end = DateTime.fromISO(endDate, { zone: timeZone ?? LATEST }).startOf('day');
  return start.isValid && end.isValid ? { startAt: start.toJSDate(), endAt: end.toJSDate() } : null;
}

/** A local time in a zone as an instant; null when either does not exist. An offset in the text wins over the zone. */
export function localInstant(dateTime: string, timeZone: string | null): Date | null {
  const hasOffset = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(dateTime);
  if (!hasOffset && timeZone === null) return null;
  const parsed = hasOffset
    ? DateTime.fromISO(dateTime, { setZone: true })
    : DateTime.fromISO(dateTime, { zone: timeZone as string });
  return parsed.isValid ? parsed.toJSDate() : null;
}
