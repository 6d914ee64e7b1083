const MINUTE_MS = 60_000;

/**
 * Whether a calendar that shows an event at one time may have been given the other. Bookings may have finer times than
 * calendars keep: seconds at Google and Microsoft, minutes elsewhere. Who takes what the calendar made of our own write for
 * its owner's move tells of moves that nobody made, and writes again what will never be kept. Pure.
 */
export function isSameTime(shown: Date, meant: Date | null): boolean {
  return meant !== null && Math.abs(shown.getTime() - meant.getTime()) < MINUTE_MS;
}
