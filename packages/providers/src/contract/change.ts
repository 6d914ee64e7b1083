/**
 * What a calendar's change feed says, in the product's words.
 *
 * Adapters translate; they never decide what to store. Every instant is UTC, every interval half-open
 * `[startAt, endAt)`. Titles, guests and descriptions stop at the adapter: no type here can carry them.
 */

/** The span of time kept in sync. Half-open, UTC. */
export interface SyncWindow {
  readonly startAt: Date;
  readonly endAt: Date;
}

/** Proof, carried by the event itself, that this product wrote it (Google: private extended properties). */
export interface BookingMarker {
  readonly bookingId: string;
  readonly connectionId: string;
  /** Which life of the booking's event this is; a deleted event keeps its id, so the next one needs a new generation. */
  readonly generation: number;
  /** Booking version the event was last written for. */
  readonly version: number;
}

/** An event as it now stands. `blocks` answers "is its owner not free then?"; doubt is answered with true. */
export interface EventChange {
  readonly kind: 'event';
  /** The calendar provider's own id; of the occurrence for a member of a series. Case-sensitive. */
  readonly eventId: string;
  /** Id of the series the occurrence belongs to, else null. */
  readonly seriesId: string | null;
  readonly icalUid: string | null;
  readonly startAt: Date;
  readonly endAt: Date;
  readonly blocks: boolean;
  readonly etag: string | null;
  readonly marker: BookingMarker | null;
  /** The key the event was created under, where the feed repeats it (Graph's `transactionId`); else null. */
  readonly creationKey: string | null;
}

/**
 * The event is no longer in the feed: deleted, cancelled, or (Graph) moved out of the window. Not a proof of
 * deletion: only a read by id proves that.
 */
export interface Tombstone {
  readonly kind: 'tombstone';
  readonly eventId: string;
  /** Known for a cancelled exception of a series; null when the feed does not say. */
  readonly seriesId: string | null;
}

/**
 * Everything held for this series is void; what the same page says after this item is the whole series inside the
 * window. Also the tombstone of a series whose occurrences are held under ids of their own.
 */
export interface SeriesReset {
  readonly kind: 'series_reset';
  readonly seriesId: string;
}

export type Change = EventChange | Tombstone | SeriesReset;

/**
 * An item the adapter could not understand, and that may keep its owner from being booked. It never stops the other items:
 * it is counted and kept as a doubt until it can be read, comes with its series afresh, or is gone.
 */
export interface UnreadableItem {
  /** Null when it names none; then only a full round can tell that it is gone. */
  readonly eventId: string | null;
  readonly seriesId: string | null;
  /** snake_case, without any content of the event: `no_start`, `unknown_time_zone`, `end_before_start`. */
  readonly reason: string;
}

/** One page of the feed. Exactly one of `nextPage` and `cursor` is set. */
export interface ChangePage {
  readonly changes: readonly Change[];
  readonly unreadable: readonly UnreadableItem[];
  /** Opaque continuation for the next call of the same round; null on the last page. */
  readonly nextPage: string | null;
  /** Where the next round starts; null before the last page. Opaque, never parsed, never logged. */
  readonly cursor: string | null;
}
