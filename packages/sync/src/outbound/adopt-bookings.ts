import { type Database, findBookingsToAdopt, insertAdoptions } from '@bookiji/db';
import type { CalendarProvider } from '@bookiji/providers/contract';
import { creationKey, storedKey } from './event-identity.ts';

/** One statement's worth, more than a provider has ahead; what is left has its turn with the sweep. */
const ADOPTED_AT_ONCE = 5_000;

/**
 * Gives a connection the bookings that it does not know in their newest version.
 *
 * Whether an event of theirs is in the calendar, nobody knows: an earlier life of the connection may have written it, and
 * the records of that life are erased. So each starts as one whose create was never answered: it is looked for first, then
 * moved, deleted or made. Under its key the first sync, too, knows it for the booking's and not for its owner's time.
 *
 * @returns the bookings that have work now, and whether there may be more of them.
 */
export async function adoptBookings(
  db: Database,
  connection: { readonly id: string; readonly calendarProvider: CalendarProvider },
): Promise<{ bookingIds: string[]; isComplete: boolean }> {
  const { id, calendarProvider } = connection;
  const found = await findBookingsToAdopt(db, id, ADOPTED_AT_ONCE);
  const adoptions = found.map((bookingId) => ({
    bookingId,
    creationKey: storedKey(creationKey(bookingId, id, 0), calendarProvider),
  }));
  return { bookingIds: await insertAdoptions(db, id, adoptions), isComplete: found.length < ADOPTED_AT_ONCE };
}
