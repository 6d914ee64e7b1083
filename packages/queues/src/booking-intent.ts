import { type BookingEvent, describeIssues, parseBookingEvent } from './booking-events.ts';

/** A booking event as desired state: what `acceptBookingIntent` stores. */
export interface DesiredBooking {
  readonly eventId: string;
  readonly bookingId: string;
  readonly providerId: string;
  readonly version: number;
  readonly state: 'live' | 'cancelled';
  /** Null only when cancelled without the booking. */
  readonly startAt: Date | null;
  readonly endAt: Date | null;
  readonly details: DesiredDetails | null;
}

interface DesiredDetails {
  readonly title: string;
  readonly time_zone: string;
  readonly notes?: string | undefined;
  readonly location?: string | undefined;
  readonly attendee?: { readonly name?: string | undefined; readonly email?: string | undefined } | undefined;
}

export type ReadIntent =
  | { readonly ok: true; readonly intent: DesiredBooking }
  /** What is wrong with which field; no value of any. */
  | { readonly ok: false; readonly reason: string };

/** From a payload to what is stored. */
export function readBookingIntent(payload: unknown): ReadIntent {
  const parsed = parseBookingEvent(payload);
  if (!parsed.ok) return { ok: false, reason: describeIssues(parsed.issues) };
  return { ok: true, intent: toDesiredBooking(parsed.event) };
}

/** Pure. Ids become lower case, since a UUID may be written in either and must name the same booking. */
export function toDesiredBooking(event: BookingEvent): DesiredBooking {
  const { booking } = event;
  const identity = {
    eventId: event.event_id.toLowerCase(),
    bookingId: event.booking_id.toLowerCase(),
    providerId: event.provider_id.toLowerCase(),
    version: event.version,
    state: event.type === 'booking.cancelled' ? ('cancelled' as const) : ('live' as const),
  };
  if (booking === undefined || booking === null) return { ...identity, startAt: null, endAt: null, details: null };
  const { start, end, title, time_zone, notes, location, attendee } = booking;
  return { ...identity, startAt: start, endAt: end, details: { title, time_zone, notes, location, attendee } };
}
