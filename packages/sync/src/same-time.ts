const MINUTE_MS = 60_000;

/**
 * Whether a calendar that shows an event at one time may have been given the other. Bookings may have finer times than
 * calendars keep: seconds at Google and Microsoft, minutes elsewhere. Who takes what the calendar made of our own write for
 * its owner's move tells of moves that nobody made, and writes again what will never be kept. Only a full minute can be
 * what is left of a finer time; whatever else differs was moved. Pure.
 */
export function isSameTime(shown: Date, meant: Date | null): boolean {
  if (meant === null) return false;
  const apart = Math.abs(toSecond(shown) - toSecond(meant));
  return apart === 0 || (apart < MINUTE_MS && shown.getTime() % MINUTE_MS === 0);
}

function toSecond(time: Date): number {
  return Math.floor(time.getTime() / 1_000) * 1_000;
}
