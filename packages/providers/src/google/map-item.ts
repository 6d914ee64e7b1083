/**
 * One item of `events.list` in the product's words. Pure; invents nothing, and an item it cannot read stops no other.
 *
 * An item comes as Google sent it, so every field is looked at before it is believed.
 * Sources: developers.google.com/workspace/calendar/api/v3/reference/events.
 */
import type { BookingMarker, Change, EventChange, SyncWindow, UnreadableItem } from '../contract/index.ts';
import { readProperties } from './booking-properties.ts';
import { readSpan } from './read-time.ts';

export interface ItemContext {
  /** The list's `timeZone`: where whole days lie; null when the list did not say. */
  readonly calendarZone: string | null;
  /** Increments ignore the window that the feed started with, so it is applied here. */
  readonly window: SyncWindow;
}

/** What never keeps its owner from being booked, whatever its transparency says. */
const FREE_EVENT_TYPES: ReadonlySet<unknown> = new Set(['workingLocation', 'birthday']);

export function mapItem(item: unknown, context: ItemContext): Change | UnreadableItem {
  const fields = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>;
  const eventId = text(fields.id);
  if (eventId === null) return { eventId, seriesId: null, reason: 'no_id' };
  const seriesId = text(fields.recurringEventId);
  // Of a cancelled item only the id is sure; start and end may be missing, or still be there.
  if (fields.status === 'cancelled') return { kind: 'tombstone', eventId, seriesId };
  // A master is no occurrence of its own series: whatever was held under its id is held no longer.
  if (isNonEmptyList(fields.recurrence)) return { kind: 'tombstone', eventId, seriesId };
  const span = readSpan(fields.start, fields.end, context.calendarZone);
  if ('reason' in span)
    return isHarmless(fields) ? { kind: 'tombstone', eventId, seriesId } : { eventId, seriesId, ...span };
  const change: EventChange = {
    kind: 'event',
    eventId,
    seriesId,
    icalUid: text(fields.iCalUID),
    ...span,
    blocks: blocks(fields) && span.startAt < span.endAt,
    etag: text(fields.etag),
    marker: markerOf(fields),
    creationKey: null,
  };
  return isOutside(change, context.window) ? { kind: 'tombstone', eventId, seriesId } : change;
}

/** What leaves its owner free is no doubt, whenever it may be; a booking's own event is asked for by its id. */
function isHarmless(fields: Record<string, unknown>): boolean {
  return !blocks(fields) && markerOf(fields) === null;
}

/** Our marker; null when the event is not ours. */
export function markerOf(event: object): BookingMarker | null {
  const properties = (event as Record<string, unknown>).extendedProperties;
  if (typeof properties !== 'object' || properties === null) return null;
  return readProperties((properties as Record<string, unknown>).private);
}

/** Busy unless something certain says otherwise: tentative, focus time, out of office and unknown values block. */
function blocks(fields: Record<string, unknown>): boolean {
  if (fields.transparency === 'transparent') return false;
  if (FREE_EVENT_TYPES.has(fields.eventType)) return false;
  return !isDeclined(fields.attendees);
}

/** The entry marked `self` is the answer of the calendar that this copy of the event lies in. */
function isDeclined(attendees: unknown): boolean {
  if (!Array.isArray(attendees)) return false;
  const own = attendees.filter((attendee) => attendee?.self === true);
  return own.length > 0 && own.every((attendee) => attendee.responseStatus === 'declined');
}

/**
 * An event outside the window is gone from what is kept in sync, so a row held for it must go. A booking's own event is
 * told as it is: its absence would be looked into each time we write one that lies beyond the window.
 */
function isOutside(change: EventChange, window: SyncWindow): boolean {
  if (change.marker !== null) return false;
  return change.endAt <= window.startAt || change.startAt >= window.endAt;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

export function isNonEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
