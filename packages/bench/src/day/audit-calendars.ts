/** Every calendar against what the product says of it: the sandbox's own list is the truth. */
import type { Cast, ConnectedCalendar } from '../cast.ts';

export interface AuditReport {
  readonly calendars: number;
  readonly intervals: number;
  readonly bookings: number;
  /** Intervals that are missing, surplus or at another time. */
  readonly wrongIntervals: number;
  /** Bookings without exactly one event at their time, and events of bookings that should have none. */
  readonly wrongBookings: number;
}

const AT_ONCE = 10;
const DAY_MS = 86_400_000;

interface Row {
  readonly id: string | null;
  readonly bookingId: string | null;
  readonly span: string;
}

export async function auditCalendars(
  cast: Cast,
  calendars: readonly ConnectedCalendar[],
  /** Booking → `start/end`. */
  bookings: ReadonlyMap<string, string>,
): Promise<AuditReport> {
  const stored = await readRows(cast);
  const seen = new Map<string, string[]>();
  let [intervals, wrongIntervals] = [0, 0];
  const next = calendars.values();
  const work = async () => {
    for (const calendar of next) {
      const from = new Date(Date.now() - DAY_MS);
      const events = await cast.sandbox.listEvents(calendar, from, new Date(from.getTime() + 80 * DAY_MS));
      const truth = new Map(events.map((event) => [event.id, `${event.start_at}/${event.end_at}`]));
      for (const { id, bookingId, span } of stored.get(calendar.connectionId) ?? []) {
        const shown = truth.get(id ?? '');
        truth.delete(id ?? '');
        if (bookingId !== null) {
          if (shown !== undefined) seen.set(bookingId, [...(seen.get(bookingId) ?? []), shown]);
          continue;
        }
        intervals += 1;
        if (shown !== span) wrongIntervals += 1;
      }
      // What nobody has: an interval that is missing, or a second event of a booking.
      wrongIntervals += truth.size;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const wrong = [...bookings].filter(([id, span]) => seen.get(id)?.join() !== span);
  const surplus = [...seen.keys()].filter((id) => !bookings.has(id));
  const wrongBookings = wrong.length + surplus.length;
  return { calendars: calendars.length, intervals, bookings: bookings.size, wrongIntervals, wrongBookings };
}

async function readRows({ database }: Cast): Promise<Map<string, Row[]>> {
  const rows = await database.sql`
    SELECT connection_id, external_event_id, booking_id, start_time, end_time FROM external_calendar_events`;
  const byConnection = new Map<string, Row[]>();
  for (const row of rows) {
    const held = byConnection.get(row.connection_id) ?? [];
    byConnection.set(row.connection_id, held);
    const span = `${new Date(row.start_time).toISOString()}/${new Date(row.end_time).toISOString()}`;
    held.push({ id: row.external_event_id, bookingId: row.booking_id, span });
  }
  return byConnection;
}
