import type { calendar_v3 } from '@googleapis/calendar';
import {
  allDayInterval,
  type BookingMarker,
  type Change,
  localInstant,
  type UnreadableItem,
} from '../contract/index.ts';

type GoogleEvent = calendar_v3.Schema$Event;

/** Keys of our private extended properties; Google silently drops keys over 44 characters. */
export const MARKER_KEYS = {
  booking: 'bookiji_booking',
  connection: 'bookiji_connection',
  generation: 'bookiji_generation',
  version: 'bookiji_version',
} as const;

/** What never keeps its owner from being booked, whatever its transparency says. */
const FREE_EVENT_TYPES: ReadonlySet<string> = new Set(['workingLocation', 'birthday']);

/**
 * One item of `events.list` in the product's words. Pure; invents nothing: what it cannot read it says so.
 *
 * Busy = not cancelled, not transparent, not declined by the calendar's owner; unknown values block.
 * https://developers.google.com/workspace/calendar/api/v3/reference/events
 *
 * @param calendarZone the list's `timeZone`: all-day events lie in it, whatever zone they name themselves.
 * @returns null for a series' master, which is no occurrence.
 */
export function mapEvent(item: GoogleEvent, calendarZone: string | null): Change | UnreadableItem | null {
  const eventId = item.id ?? null;
  if (eventId === null) return { eventId, reason: 'no_id' };
  const seriesId = item.recurringEventId ?? null;
  // Only the id is guaranteed of a cancelled item; start and end may be missing, or still be there.
  if (item.status === 'cancelled') return { kind: 'tombstone', eventId, seriesId };
  if (item.recurrence !== undefined && item.recurrence !== null && item.recurrence.length > 0) return null;
  const interval = readInterval(item, calendarZone);
  if ('reason' in interval) return { eventId, reason: interval.reason };
  return {
    kind: 'event',
    eventId,
    seriesId,
    icalUid: item.iCalUID ?? null,
    ...interval,
    blocks: blocks(item) && interval.startAt < interval.endAt,
    etag: item.etag ?? null,
    marker: readMarker(item),
    creationKey: eventId,
  };
}

/** Start and end of an item as instants, or why there are none. */
export function readInterval(
  item: GoogleEvent,
  calendarZone: string | null,
): { startAt: Date; endAt: Date } | { reason: string } {
  const { start, end } = item;
  if (start?.date && end?.date) {
    return ordered(allDayInterval(start.date, end.date, calendarZone), 'unknown_time_zone');
  }
  if (!start?.dateTime) return { reason: 'no_start' };
  if (!end?.dateTime) return { reason: 'no_end' };
  const startAt = localInstant(start.dateTime, start.timeZone ?? calendarZone);
  const endAt = localInstant(end.dateTime, end.timeZone ?? calendarZone);
  return ordered(startAt === null || endAt === null ? null : { startAt, endAt }, 'unreadable_time');
}

function ordered(interval: { startAt: Date; endAt: Date } | null, reason: string) {
  if (interval === null) return { reason };
  return interval.endAt < interval.startAt ? { reason: 'end_before_start' } : interval;
}

function blocks(item: GoogleEvent): boolean {
  if (item.transparency === 'transparent') return false;
  if (FREE_EVENT_TYPES.has(item.eventType ?? 'default')) return false;
  return item.attendees?.some((guest) => guest.self === true && guest.responseStatus === 'declined') !== true;
}

/** Our marker; null when there is none or it was tampered with. */
export function readMarker(item: GoogleEvent): BookingMarker | null {
  const properties = item.extendedProperties?.private ?? {};
  const bookingId = properties[MARKER_KEYS.booking];
  const connectionId = properties[MARKER_KEYS.connection];
  const generation = Number(properties[MARKER_KEYS.generation]);
  const version = Number(properties[MARKER_KEYS.version]);
  if (!bookingId || !connectionId || !Number.isSafeInteger(generation) || !Number.isSafeInteger(version)) return null;
  return { bookingId, connectionId, generation, version };
}
