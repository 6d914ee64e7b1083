/** One booking and one calendar in memory, on a real database: versions of the booking come in, a worker converges. */
import { randomUUID } from 'node:crypto';
import { type AcceptedBooking, acceptBookingIntent } from '@bookiji/db';
import { type BuiltConnection, createFakeCalendar, type FakeCalendar, type TestDatabase } from '@bookiji/testing';
import { type ConvergeOutcome, convergeBooking } from '../src/outbound/converge-booking.ts';

export const HOUR_MS = 3_600_000;
const thisHour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
/** Told from the hour in which the test file began. */
export const inHours = (hours: number) => new Date(thisHour + hours * HOUR_MS);

export const never = new AbortController().signal;
/** So long that nothing is tried again by itself while a test runs. */
export const BACKOFF = { baseSeconds: 60, maxSeconds: 600 };

export interface BookingStageOptions {
  readonly bookingId?: string;
  /** When a version begins that is announced without a time; tomorrow at this hour, whichever version it is. */
  readonly startsAt?: (version: number) => Date;
  readonly backoff?: { readonly baseSeconds: number; readonly maxSeconds: number };
}

/** A row as the driver gives it: versions and times are texts. */
type Row = Readonly<Record<string, unknown>>;
type EffectRow = Row & { readonly next_attempt_at: string };

export interface BookingStage {
  readonly bookingId: string;
  readonly connectionId: string;
  readonly providerId: string;
  /** What a worker finds behind the connection. A test may put another one in its place. */
  calendar: FakeCalendar;
  /** A version comes from the booking service: an hour under the title `v<version>`. */
  announce(
    version: number,
    state?: 'live' | 'cancelled',
    over?: { readonly startAt?: Date; readonly title?: string },
  ): Promise<AcceptedBooking>;
  /** One look at the booking, by the worker of this name. */
  converge(owner?: string): Promise<ConvergeOutcome>;
  /** Ends the wait for the next attempt, and nothing else: a lease that was not given back still holds. */
  wake(): Promise<unknown>;
  /** As time does to a worker that no longer shows a sign of life. */
  endLease(): Promise<unknown>;
  /** Asks for a read of the booking's event, as the feed does when it shows that event changed. */
  inspect(): Promise<unknown>;
  effect(): Promise<EffectRow | undefined>;
  /** The booking's row among the external events, as its owner sees it. */
  mapping(): Promise<Row | undefined>;
}

/** The connection need not be in the database yet. */
export function openBookingStage(
  { db, sql }: TestDatabase,
  { id: connectionId, providerId }: BuiltConnection,
  { bookingId = randomUUID(), startsAt = () => inHours(24), backoff = BACKOFF }: BookingStageOptions = {},
): BookingStage {
  const stage: BookingStage = {
    bookingId,
    connectionId,
    providerId,
    calendar: createFakeCalendar(),
    announce(version, state = 'live', { startAt = startsAt(version), title = `v${version}` } = {}) {
      const endAt = new Date(startAt.getTime() + HOUR_MS);
      const details = { title, time_zone: 'UTC' };
      const eventId = randomUUID();
      return acceptBookingIntent(db, { eventId, bookingId, providerId, version, state, startAt, endAt, details });
    },
    converge(owner = 'me') {
      const openCalendar = ({ id }: { readonly id: string }) => {
        if (id !== connectionId) throw new Error('the calendar of another connection is opened');
        return stage.calendar.port;
      };
      const deps = { db, openCalendar, owner, backoff, leaseMs: 20_000, random: () => 0 };
      return convergeBooking(deps, { bookingId, connectionId }, never);
    },
    wake: () => sql`UPDATE booking_effects SET next_attempt_at = now() WHERE booking_id = ${bookingId}`,
    endLease: () => sql`UPDATE booking_effects SET lease_until = NULL WHERE booking_id = ${bookingId}`,
    inspect: () =>
      sql`UPDATE booking_effects SET inspect_requested = inspect_requested + 1 WHERE booking_id = ${bookingId}`,
    effect: async () => (await sql<EffectRow[]>`SELECT * FROM booking_effects WHERE booking_id = ${bookingId}`)[0],
    mapping: async () => (await sql<Row[]>`SELECT * FROM external_calendar_events WHERE booking_id = ${bookingId}`)[0],
  };
  return stage;
}
