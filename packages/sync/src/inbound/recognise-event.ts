/**
 * Which booking an event of the feed belongs to. Pure.
 *
 * An owner may make a booking's event repeat. It becomes a series then, whose occurrences carry the marker and, where they
 * are read one by one, the key of the booking's event. The booking has one of them; all others are its owner's time, and
 * taking them for the booking's would free weeks that are not free. So nothing that an occurrence says of itself counts:
 * it is ours by what is on record alone.
 */
import type { EventChange } from '@bookiji/providers/contract';
import { isSameTime } from '../same-time.ts';

/** What is on record of a booking's event. */
export interface RecordedEvent {
  readonly externalEventId: string | null;
  readonly writtenStart: Date | null;
}

/** By what a booking is looked for. */
export interface EventNames {
  readonly eventId: string;
  readonly creationKey?: string | null;
  readonly bookingId?: string | null;
}

export interface RecognisedEvent<Own> {
  readonly own: Own;
  /**
   * `event`: the booking's event, or one that was written for it.
   * `first`: its owner made the event on record a series; this is the occurrence that is still the booking's.
   * `later`: another occurrence of that series, its owner's time.
   */
  readonly role: 'event' | 'first' | 'later';
}

/** @param find finds the booking by event id, creation key or marker; null for all others. */
export function recogniseEvent<Own extends RecordedEvent>(
  { eventId, seriesId, startAt, creationKey, marker }: EventChange,
  find: (names: EventNames) => Own | null,
): RecognisedEvent<Own> | null {
  if (seriesId === null) {
    const own = find({ eventId, creationKey, bookingId: marker?.bookingId ?? null });
    return own === null ? null : { own, role: 'event' };
  }
  const own = find({ eventId });
  if (own?.externalEventId === eventId) return { own, role: 'event' };
  const former = find({ eventId: seriesId });
  if (former?.externalEventId !== seriesId) return null;
  return { own: former, role: isSameTime(startAt, former.writtenStart) ? 'first' : 'later' };
}
