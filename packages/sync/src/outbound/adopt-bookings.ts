import { type Database, findBookingsToAdopt, insertAdoptions } from '@bookiji/db';
import type { CalendarProvider } from '@bookiji/providers/contract';
import { creationKey, storedKey } from './event-identity.ts';

/**
 * Gives a connection the bookings that it does not know in their newest version.
 *
 * Whether an event of theirs is in the calendar, nobody knows: an earlier life of the connection may have written it, and
 * the records of that life are erased. So each starts as one whose create was never answered: it is looked for first, then
 * moved, deleted or made. Where a look means paging through the whole calendar, as at Microsoft, the bookings that come with
 * the grant wait for the first sync, which reads all of its window anyway. Under its key the first sync, too, knows it for the booking's and not for its owner's time.
 *
 * @param options.atMost those that begin soonest; what is left has its turn with the sweep.
 * @param options.isWithGrant in the transaction that stores the grant, so that no sync can have begun.
 * @returns the bookings that have work now, and whether no others are left. One that somebody held was passed over, and is.
 */
export async function adoptBookings(
  db: Database,
  connection: { readonly id: string; readonly calendarProvider: CalendarProvider },
  { atMost, isWithGrant }: { readonly atMost: number; readonly isWithGrant: boolean },
): Promise<{ bookingIds: string[]; isComplete: boolean }> {
  const { id, calendarProvider } = connection;
  const found = await findBookingsToAdopt(db, id, atMost);
  const adoptions = found.map((bookingId) => ({
    bookingId,
    creationKey: storedKey(creationKey(bookingId, id, 0), calendarProvider),
  }));
  const bookingIds = await insertAdoptions(db, id, adoptions, isWithGrant && calendarProvider === 'microsoft');
  return { bookingIds, isComplete: found.length < atMost && bookingIds.length === found.length };
}
