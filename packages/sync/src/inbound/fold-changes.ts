import { hash } from 'node:crypto';
import type { BusyInterval, IntervalChanges } from '@bookiji/db';
import type { Change, EventChange, SyncWindow } from '@bookiji/providers/contract';
import { isSameTime } from '../same-time.ts';
import { type EventNames, recogniseEvent } from './recognise-event.ts';

/** A booking's own event as it was last written, so that its echo is told from its owner's doing. */
export interface OwnEvent {
  readonly bookingId: string;
  readonly externalEventId: string | null;
  /** Under what its event is created now; what lives under an earlier key is a stray. */
  readonly currentKey: string;
  readonly etag: string | null;
  /** What the calendar was last known to show. */
  readonly writtenStart: Date | null;
  readonly writtenEnd: Date | null;
  /** What it is meant to show; null for a booking that was cancelled without ever having times. */
  readonly desiredStart: Date | null;
  readonly desiredEnd: Date | null;
  readonly state: 'live' | 'cancelled';
  /** A write may be under way: the feed may show it before it is recorded. */
  readonly leaseHeld: boolean;
}

export interface FoldedPage extends IntervalChanges {
  /** Bookings whose event looks moved or gone. A hint: only a read by id proves it. */
  readonly suspectBookingIds: readonly string[];
}

/**
 * Folds one page of the feed into what to store. Pure.
 *
 * - An event that blocks and overlaps the window is put, with its full start and end; any other is dropped.
 * - Items apply in order and the later one wins; a series reset voids what stood before it for that series.
 * - A booking's own event is never busy time of its own. If it differs from what was written, its booking is suspect. Other
 *   occurrences of a series that its owner made of it are busy time.
 *
 * @param own finds the booking an item belongs to by event id, creation key or marker; null for all others.
 */
export function foldChanges(
  changes: readonly Change[],
  window: SyncWindow,
  own: (names: EventNames) => OwnEvent | null,
): FoldedPage {
  const puts = new Map<string, BusyInterval>();
  const drops = new Set<string>();
  const resets = new Set<string>();
  const suspects = new Set<string>();

  for (const change of changes) {
    switch (change.kind) {
      case 'series_reset': {
        resets.add(change.seriesId);
        for (const [id, put] of puts) if (put.seriesId === change.seriesId) puts.delete(id);
        break;
      }
      case 'tombstone': {
        puts.delete(change.eventId);
        drops.add(change.eventId);
        const mine = own({ eventId: change.eventId });
        if (mine?.state === 'live' && mine.externalEventId === change.eventId) suspects.add(mine.bookingId);
        break;
      }
      case 'event': {
        const mine = recogniseEvent(change, own);
        // A series made of a booking's event has to be read: from then on its first occurrence is the booking's event.
        if (mine !== null && (mine.role !== 'event' || looksTouched(change, mine.own)))
          suspects.add(mine.own.bookingId);
        if (mine !== null && mine.role !== 'later') {
          puts.delete(change.eventId);
          drops.add(change.eventId);
          break;
        }
        const interval = toBusyInterval(change, window);
        if (interval !== null) {
          drops.delete(change.eventId);
          puts.set(change.eventId, interval);
        } else {
          puts.delete(change.eventId);
          drops.add(change.eventId);
        }
      }
    }
  }
  return {
    puts: [...puts.values()],
    dropIds: [...drops],
    resetSeriesIds: [...resets],
    suspectBookingIds: [...suspects],
  };
}

/** Half-open overlap; an interval without length overlaps nothing. */
function overlaps(interval: { startAt: Date; endAt: Date }, window: SyncWindow): boolean {
  return interval.startAt < interval.endAt && interval.startAt < window.endAt && interval.endAt > window.startAt;
}

/**
 * Whether the event is worth a read: it shows other times than were last known, or it should not be there at all.
 * Another etag alone is nothing: a guest's answer changes it too.
 *
 * A hint is told once, so none may be passed over because a write is under way: whoever writes has perhaps looked
 * already. Only what looks like that very write is its echo; in doubt the booking is read once too often.
 */
function looksTouched(change: EventChange, mine: OwnEvent): boolean {
  if (mine.externalEventId !== change.eventId) return isStray(change, mine);
  if (mine.writtenStart === null || mine.writtenEnd === null) return false;
  if (change.etag !== null && change.etag === mine.etag) return false;
  if (isAt(change, mine.writtenStart, mine.writtenEnd)) return false;
  return !(mine.leaseHeld && isAt(change, mine.desiredStart, mine.desiredEnd));
}

/** A late writer's event: of a cancelled booking, beside the one on record, or of an earlier generation. */
function isStray(change: EventChange, mine: OwnEvent): boolean {
  if (mine.state === 'cancelled' || mine.externalEventId !== null) return true;
  // Nothing is on record. Under the current key it is the one being created; its creator, or the next, finds it.
  return (change.creationKey ?? change.eventId) !== mine.currentKey;
}

function isAt(change: EventChange, startAt: Date | null, endAt: Date | null): boolean {
  return isSameTime(change.startAt, startAt) && isSameTime(change.endAt, endAt);
}

/** What an event of the owner's own means for their time; null when it does not block, or not within the window. */
export function toBusyInterval(change: EventChange, window: SyncWindow): BusyInterval | null {
  if (!change.blocks || !overlaps(change, window)) return null;
  const { eventId, seriesId, icalUid, startAt, endAt } = change;
  return { eventId, seriesId, icalUid, startAt, endAt, checksum: checksumOf(seriesId, icalUid, startAt, endAt) };
}

/** Of everything stored of an event, so that an unchanged one costs no write. 128 bits of SHA-256, hex. */
export function checksumOf(seriesId: string | null, icalUid: string | null, startAt: Date, endAt: Date): string {
  return hash('sha256', JSON.stringify([seriesId, icalUid, startAt.getTime(), endAt.getTime()])).slice(0, 32);
}
