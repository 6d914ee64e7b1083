import type { RecurrenceRule } from './recurrence-rule.ts';
import type { Timing } from './timing.ts';

export type ShowAs = 'free' | 'tentative' | 'busy' | 'oof' | 'workingElsewhere' | 'unknown';
export type ResponseStatus = 'needsAction' | 'declined' | 'tentative' | 'accepted';

export interface Attendee {
  readonly email: string;
  readonly name: string | null;
  readonly response: ResponseStatus;
  readonly isOptional: boolean;
}

/** What a person or a client can set. One shape for both providers; each shows its own view of it. */
export interface EventContent {
  readonly timing: Timing;
  readonly title: string | null;
  readonly description: string | null;
  readonly location: string | null;
  readonly isTentative: boolean;
  /** Google knows free (`transparent`) and everything else (`opaque`). */
  readonly showAs: ShowAs;
  /** In the provider's own words; null for its default. */
  readonly visibility: string | null;
  /** Google's `eventType`. */
  readonly eventType: string;
  readonly attendees: readonly Attendee[];
  /** Null when the calendar's owner organizes it. */
  readonly organizer: { readonly email: string; readonly name: string | null } | null;
  /** The owner's own answer to somebody else's invitation; null when there is none. */
  readonly ownResponse: ResponseStatus | null;
  /** Google's private extended properties; Graph's single-value extended properties by their id. */
  readonly privateProperties: Readonly<Record<string, string>>;
  readonly sharedProperties: Readonly<Record<string, string>>;
  readonly rule: RecurrenceRule | null;
  /** Fields that are kept and shown and mean nothing to the sandbox. */
  readonly extras: Readonly<Record<string, unknown>>;
}

/** An event as a calendar holds it. Its content is replaced as a whole; see `edit-event.ts`. */
export interface StoredEvent {
  readonly id: string;
  /** Place in the calendar, by creation. */
  readonly ordinal: number;
  readonly icalUid: string;
  /** Graph's key for creating once. */
  readonly transactionId: string | null;
  readonly createdMs: number;
  /** The series it is an exception of, and the start it had there (midnight as wall time for all-day series). */
  readonly master: StoredEvent | null;
  readonly originalStart: number | null;

  content: EventContent;
  isCancelled: boolean;
  updatedMs: number;
  /** Number of the last change, from the one counter of the whole sandbox; etags are made of it. */
  changeNumber: number;
  /** iCalendar's sequence. */
  icalSequence: number;
  /** Exceptions by original start; null unless it is or was a series with some. */
  exceptions: Map<number, StoredEvent> | null;
  /** Original starts that a change of the series took away. */
  retiredStarts: Set<number> | null;
  /** How often it was moved between folders: Graph's mutable ids change with it. */
  folderMoves: number;
}

export const EMPTY_CONTENT: Omit<EventContent, 'timing'> = {
  title: null,
  description: null,
  location: null,
  isTentative: false,
  showAs: 'busy',
  visibility: null,
  eventType: 'default',
  attendees: [],
  organizer: null,
  ownResponse: null,
  privateProperties: {},
  sharedProperties: {},
  rule: null,
  extras: {},
};
