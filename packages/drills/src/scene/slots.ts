import type { Slot } from '@bookiji/local-fleet';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Nine o'clock UTC of tomorrow, plus hours. */
export function slotAt(hour: number, hours = 1): Slot {
  const start = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS + (9 + hour) * HOUR_MS;
  return { start: new Date(start).toISOString(), end: new Date(start + hours * HOUR_MS).toISOString() };
}

/** Whether two spans are the same, however their instants are written. */
export function isSameSlot(one: Slot, other: Slot): boolean {
  return Date.parse(one.start) === Date.parse(other.start) && Date.parse(one.end) === Date.parse(other.end);
}

/** From yesterday until ten days on: everything that drills put into calendars. */
export function drilledSpan(): readonly [Date, Date] {
  return [new Date(Date.now() - DAY_MS), new Date(Date.now() + 10 * DAY_MS)];
}
