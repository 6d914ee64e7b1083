import type { CalendarProvider } from './calendar-provider.ts';
import type { BookingMarker, ChangePage, SyncWindow } from './change.ts';
import type { Operation } from './errors.ts';

/**
 * One calendar of one connection, as the product needs it. Both adapters, the fake and every policy (timeout, limiter,
 * breaker, token refresh, metrics) have this shape, so they stack.
 *
 * Every method throws `ProviderError`; what the token source, or a limit around the request, throws of its own (a
 * database failure) passes unchanged. Every method stops its HTTP request when `signal` aborts.
 */
export interface CalendarPort {
  readonly calendarProvider: CalendarProvider;

  /** One page of changes since `cursor`, or of everything in `window` when `cursor` is null. `cursor_expired` means: start over. */
  listChanges(request: ListChangesRequest, signal: AbortSignal): Promise<ChangePage>;

  /**
   * The event by id, read now. `gone` is proven: the provider answered 404, 410 or a cancelled event. Of an event that its
   * owner made a series it is the first occurrence, under its own id: the others are their owner's.
   */
  getEvent(eventId: string, signal: AbortSignal): Promise<EventReading>;

  /** The event created under `key`, if the calendar has it; a series as above. Settles what an unanswered create did. */
  findEvent(key: CreationKey, signal: AbortSignal): Promise<EventReading>;

  /** Creates under `draft.key`. `conflict` when the key is taken, by our event or by a deleted one. */
  createEvent(draft: EventDraft, signal: AbortSignal): Promise<WrittenEvent>;

  /**
   * Changes the event in place, only if it still has `etag` (null: whatever it has). `conflict` when it moved on,
   * `not_found` when it is gone, or had to leave the series that its owner made of it: then it is created again.
   */
  updateEvent(target: EventTarget, draft: EventDraft, signal: AbortSignal): Promise<WrittenEvent>;

  /** Removes the event, only if it still has `etag` (null: whatever it has). What is gone already is success. */
  deleteEvent(target: EventTarget, signal: AbortSignal): Promise<void>;

  /**
   * Registers for push. The row for `channelId` exists before this call: the handshake may overtake the answer. `permanent`
   * when the calendar cannot be watched or the address is refused, `not_found` when there is no such calendar, `conflict`
   * when the provider has a registration of ours already (Graph allows one for each mailbox).
   */
  openChannel(request: OpenChannelRequest, signal: AbortSignal): Promise<OpenedChannel>;

  /** Extends a channel in place. Google cannot: it rejects with `permanent`/`renewal_unsupported`; open a new one instead. */
  renewChannel(channel: ChannelHandle, expiresAt: Date, signal: AbortSignal): Promise<OpenedChannel>;

  /** Ends a channel. What is ended already is success. */
  closeChannel(channel: ChannelHandle, signal: AbortSignal): Promise<void>;

  /** The channels the provider knows of for this grant; null where the provider has no such list (Google). */
  listChannels(signal: AbortSignal): Promise<readonly ListedChannel[] | null>;
}

export interface ListChangesRequest {
  readonly cursor: string | null;
  /** Continuation from the previous page of this round; null for the first page. */
  readonly page: string | null;
  readonly window: SyncWindow;
}

/** What creating the same event twice must collide on. Both forms are derived from one string; see `creationKey`. */
export interface CreationKey {
  /** Google's event id: 32 characters of base32hex's hex subset. */
  readonly googleEventId: string;
  /** Graph's `transactionId`: a UUID. */
  readonly transactionId: string;
}

/** The whole state a booking's event should have. */
export interface EventDraft {
  readonly key: CreationKey;
  readonly marker: BookingMarker;
  readonly icalUid: string;
  readonly title: string;
  /** Plain text; null for none. */
  readonly description: string | null;
  readonly location: string | null;
  readonly startAt: Date;
  readonly endAt: Date;
  /** IANA zone the event is shown in. */
  readonly timeZone: string;
}

export interface EventTarget {
  readonly eventId: string;
  readonly etag: string | null;
}

export interface WrittenEvent {
  readonly eventId: string;
  readonly etag: string | null;
}

/** A booking's event as the calendar has it now. */
export interface RemoteEvent {
  readonly eventId: string;
  /**
   * The series it is an occurrence of; null for an event by itself. Its own id where it is a series whose first occurrence
   * could not be read: such an event must not be written to.
   */
  readonly seriesId: string | null;
  readonly etag: string | null;
  readonly startAt: Date;
  readonly endAt: Date;
  /** Null when the event is not ours, or lost its marker. */
  readonly marker: BookingMarker | null;
  /** The key the event was created under, or its series, where the provider repeats it (Graph's `transactionId`); else null. */
  readonly creationKey: string | null;
}

export type EventReading = { readonly state: 'live'; readonly event: RemoteEvent } | { readonly state: 'gone' };

export interface OpenChannelRequest {
  /** Ours, at most 64 characters, never used twice. */
  readonly channelId: string;
  /** Echoed by the provider with each notification (Google: channel token; Graph: `clientState`, at most 128). */
  readonly secret: string;
  readonly notificationUrl: string;
  readonly expiresAt: Date;
}

export interface OpenedChannel {
  /** Google: the opaque resource id. Graph: null. */
  readonly resourceId: string | null;
  /** Graph: the subscription's id. Google: null. */
  readonly subscriptionId: string | null;
  /** What the provider granted, which may be sooner than asked. */
  readonly expiresAt: Date;
}

export interface ChannelHandle {
  readonly channelId: string;
  readonly resourceId: string | null;
  readonly subscriptionId: string | null;
}

export interface ListedChannel {
  readonly subscriptionId: string;
  readonly notificationUrl: string;
  readonly expiresAt: Date;
}

/** Hands out the access token of one connection. */
export interface TokenSource {
  /** A token that is valid now, refreshed if need be. Throws `auth_revoked` when the grant is dead; database failures too. */
  accessToken(signal: AbortSignal): Promise<string>;
  /**
   * Says that the provider refused `token`; the next `accessToken` refreshes once, whatever the clock says. Said by the
   * adapter, which knows what it sent; the token policy then repeats the call.
   */
  rejected(token: string): void;
}

/**
 * Goes around every single request of a session, where time and number are limited: one method of the port may take
 * many, such as a page of the feed with series to be read. `send` may be called again, and throws `ProviderError`.
 */
export type AroundRequest = <Answer>(
  operation: Operation,
  signal: AbortSignal,
  send: (signal: AbortSignal) => Promise<Answer>,
) => Promise<Answer>;

/** What an adapter needs to speak for one connection. */
export interface CalendarSession {
  /** Whose calendar it is. Adapters need not know; the probe of a chaos run tells the calls of two ports apart by it. */
  readonly connectionId: string;
  /** The calendar's id at its provider; `primary` for the account's own. */
  readonly calendarId: string;
  readonly tokens: TokenSource;
  /** Default: nothing goes around. */
  readonly aroundRequest?: AroundRequest;
}

/** One calendar provider: how to open its calendars. Listed in one place: providers/src/adapters. */
export interface CalendarAdapter {
  readonly calendarProvider: CalendarProvider;
  open(session: CalendarSession): CalendarPort;
}
