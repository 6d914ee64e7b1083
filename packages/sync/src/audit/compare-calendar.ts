import type { Mismatch, OwnBooking } from '@bookiji/db';
import type { Change, EventChange, SyncWindow } from '@bookiji/providers/contract';
import { toBusyInterval } from '../inbound/fold-changes.ts';
import { type RecognisedEvent, recogniseEvent } from '../inbound/recognise-event.ts';
import { isSameTime } from '../same-time.ts';

/** Every way in which a calendar and the database can differ. */
export const MISMATCH_KINDS = [
  /** A booking's event is not where it was written. */
  'missing_event',
  /** It stands at another time than was written or read. */
  'moved_event',
  /** It shows an older version than is recorded. */
  'stale_event',
  /** A second event of a booking. */
  'duplicate_event',
  /** The event of a booking that is cancelled. */
  'leftover_event',
  /** The mapping row is gone, or names another event. */
  'missing_mapping',
  /** The owner's busy time: not stored, stored although it is gone, or stored otherwise. */
  'missing_interval',
  'surplus_interval',
  'wrong_interval',
] as const;
export type MismatchKind = (typeof MISMATCH_KINDS)[number];

export interface CalendarAndRecords {
  readonly connectionId: string;
  /** The calendar as its full listing leaves it; see {@link settleListing}. */
  readonly calendar: ReadonlyMap<string, EventChange>;
  readonly window: SyncWindow;
  readonly own: readonly OwnBooking[];
  /** Events that the calendar shows and nobody could read: of the owner's among them nothing is said. */
  readonly unreadIds: ReadonlySet<string>;
  /** Event id → checksum. */
  readonly stored: ReadonlyMap<string, string>;
}

/** A full listing as a map: the later item wins, as when it is synced. */
export function settleListing(changes: Iterable<Change>): Map<string, EventChange> {
  const calendar = new Map<string, EventChange>();
  for (const change of changes) {
    if (change.kind === 'event') calendar.set(change.eventId, change);
    else if (change.kind === 'tombstone') calendar.delete(change.eventId);
    else for (const [id, event] of calendar) if (event.seriesId === change.seriesId) calendar.delete(id);
  }
  return calendar;
}

/** Everything that differs. Pure. What is being written just now is not judged. */
export function compareCalendar(facts: CalendarAndRecords): Mismatch[] {
  const { calendar, own, window } = facts;
  const found: Mismatch[] = [];
  const say = (kind: MismatchKind, subject: string) => found.push({ kind, subject });
  const ownerOf = findOwner(facts);

  for (const booking of own) if (booking.isSettled) compareBooking(booking, calendar, window, say);
  const expected = new Map<string, string>();
  for (const event of calendar.values()) {
    const owner = ownerOf(event);
    if (owner === null || owner.role === 'later') {
      const interval = toBusyInterval(event, window);
      if (interval !== null) expected.set(event.eventId, interval.checksum);
      // What is an occurrence now is no second event of a booking, whatever it carries.
    } else if (owner.role === 'event' && owner.own.isSettled && owner.own.externalEventId !== event.eventId) {
      say(owner.own.state === 'live' ? 'duplicate_event' : 'leftover_event', event.eventId);
    }
  }
  compareIntervals(expected, facts, say);
  return found;
}

/** Which booking an event belongs to: by id or key as recorded, or by what an event that is no occurrence says of itself. */
export function findOwner({ connectionId, own }: Pick<CalendarAndRecords, 'connectionId' | 'own'>) {
  const names = new Map<string, OwnBooking>();
  for (const booking of own) {
    const { bookingId, externalEventId, creationKey, formerKeys } = booking;
    for (const name of [externalEventId, creationKey, ...formerKeys, bookingId]) {
      if (name !== null) names.set(name, booking);
    }
  }
  return (event: EventChange): RecognisedEvent<OwnBooking> | null => {
    const isMarkedHere = event.marker?.connectionId === connectionId;
    return recogniseEvent(
      event,
      ({ eventId, creationKey, bookingId }) =>
        names.get(eventId) ??
        names.get(creationKey ?? '') ??
        (isMarkedHere ? names.get(bookingId ?? '') : null) ??
        null,
    );
  };
}

type Say = (kind: MismatchKind, subject: string) => void;

function compareBooking(
  booking: OwnBooking,
  calendar: ReadonlyMap<string, EventChange>,
  window: SyncWindow,
  say: Say,
): void {
  const { bookingId, externalEventId, writtenStart, writtenEnd } = booking;
  if (booking.state !== 'live' || externalEventId === null || writtenStart === null || writtenEnd === null) return;
  if (booking.mappedEventId !== externalEventId) say('missing_mapping', bookingId);
  const event = calendar.get(externalEventId);
  if (event === undefined) {
    // Outside the window a listing proves nothing.
    if (writtenStart < window.endAt && writtenEnd > window.startAt) say('missing_event', bookingId);
    return;
  }
  const isMoved = !isSameTime(event.startAt, writtenStart) || !isSameTime(event.endAt, writtenEnd);
  if (isMoved) say('moved_event', bookingId);
  if (event.marker !== null && event.marker.version < booking.appliedVersion) say('stale_event', bookingId);
}

function compareIntervals(
  expected: ReadonlyMap<string, string>,
  { stored, unreadIds }: Pick<CalendarAndRecords, 'stored' | 'unreadIds'>,
  say: Say,
): void {
  for (const [eventId, checksum] of expected) {
    const held = stored.get(eventId);
    if (held === undefined) say('missing_interval', eventId);
    else if (held !== checksum) say('wrong_interval', eventId);
  }
  for (const eventId of stored.keys()) {
    if (!expected.has(eventId) && !unreadIds.has(eventId)) say('surplus_interval', eventId);
  }
}
