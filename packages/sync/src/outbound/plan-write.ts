import type { RemoteEvent } from '@bookiji/providers/contract';
import { isSameTime } from '../same-time.ts';

/** What is known of the booking's event before a call: never written, maybe written, its last state, or gone. */
export type KnownEvent =
  | { readonly state: 'never_written' }
  /** A create may have been sent without its answer being recorded. */
  | { readonly state: 'unclear' }
  /** A create will be, or was, refused: the key belongs to a deleted event. */
  | { readonly state: 'key_burnt' }
  | { readonly state: 'absent' }
  | { readonly state: 'written'; readonly eventId: string; readonly etag: string | null }
  /** Just read from the calendar. */
  | { readonly state: 'read'; readonly event: RemoteEvent };

export type WritePlan =
  | { readonly action: 'find' }
  | { readonly action: 'create'; readonly nextGeneration: boolean }
  | { readonly action: 'update'; readonly eventId: string; readonly etag: string | null }
  | { readonly action: 'delete'; readonly eventId: string; readonly etag: string | null }
  /** The calendar already shows this version. */
  | { readonly action: 'adopt'; readonly event: RemoteEvent }
  /** Nothing to do, and nothing there. */
  | { readonly action: 'none' }
  /** The calendar shows a newer version than the one we came to write: we are late. */
  | { readonly action: 'superseded' };

export interface DesiredEvent {
  readonly state: 'live' | 'cancelled';
  readonly version: number;
  readonly startAt: Date | null;
  readonly endAt: Date | null;
}

/** The next call for one booking's event. Pure; asked again after each answer until nothing is left to do. */
export function planWrite(desired: DesiredEvent, known: KnownEvent): WritePlan {
  if (known.state === 'read' && (known.event.marker?.version ?? 0) > desired.version) return { action: 'superseded' };
  return desired.state === 'live' ? planLive(desired, known) : planCancelled(known);
}

function planLive(desired: DesiredEvent, known: KnownEvent): WritePlan {
  switch (known.state) {
    case 'never_written':
    case 'absent':
      return { action: 'create', nextGeneration: false };
    case 'key_burnt':
      return { action: 'create', nextGeneration: true };
    case 'unclear':
      return { action: 'find' };
    case 'written':
      return { action: 'update', eventId: known.eventId, etag: known.etag };
    case 'read':
      // The series keeps the key, so the booking gets an event of its own under the next one.
      if (isWholeSeries(known.event)) return { action: 'create', nextGeneration: true };
      return showsDesired(known.event, desired)
        ? { action: 'adopt', event: known.event }
        : { action: 'update', eventId: known.event.eventId, etag: known.event.etag };
  }
}

function planCancelled(known: KnownEvent): WritePlan {
  switch (known.state) {
    case 'never_written':
    case 'absent':
    case 'key_burnt':
      return { action: 'none' };
    case 'unclear':
      return { action: 'find' };
    case 'written':
      return { action: 'delete', eventId: known.eventId, etag: known.etag };
    case 'read':
      if (isWholeSeries(known.event)) return { action: 'none' };
      return { action: 'delete', eventId: known.event.eventId, etag: known.event.etag };
  }
}

/**
 * The owner made the booking's event repeat, and the occurrence that is still the booking's is gone or cannot be told from
 * the others. Writing to the series would change all of its weeks, which are the owner's.
 */
export function isWholeSeries({ eventId, seriesId }: RemoteEvent): boolean {
  return seriesId === eventId;
}

/** The version proves the text, the times prove that the owner has not moved it since. */
function showsDesired(event: RemoteEvent, desired: DesiredEvent): boolean {
  return (
    event.marker?.version === desired.version &&
    isSameTime(event.startAt, desired.startAt) &&
    isSameTime(event.endAt, desired.endAt)
  );
}
