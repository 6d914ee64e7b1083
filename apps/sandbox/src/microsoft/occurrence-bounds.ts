import type { CalendarStore } from '../calendars/calendar-store.ts';
import type { EventRow } from '../calendars/event-row.ts';
import { occurrencesIn } from '../calendars/series.ts';
import type { Timing } from '../calendars/timing.ts';
import { DAY_MS, toWall } from '../calendars/zone-time.ts';
import { refuse } from './errors.ts';

const FAR_MS = 3 * 366 * DAY_MS;

/**
 * A moved occurrence may neither reach nor cross the day of its neighbours.
 * See learn.microsoft.com/graph/api/event-update.
 */
export function checkNeighbours(store: CalendarStore, row: EventRow, timing: Timing): void {
  const master = row.occurrence === null ? row.event.master : row.event;
  const own = row.occurrence?.originalStart ?? row.event.originalStart;
  if (master === null || own === null) return;
  const zone = master.content.timing.startZone ?? store.details.timeZone;
  const dayOf = (ms: number) => Math.floor(toWall(zone, ms) / DAY_MS);
  const span = { fromMs: own - FAR_MS, toMs: own + FAR_MS };
  const others = occurrencesIn(master, store.details.timeZone, span, Number.POSITIVE_INFINITY)
    .filter(({ originalStart }) => originalStart !== own && master.exceptions?.get(originalStart)?.isCancelled !== true)
    .map(({ originalStart, timing: usual }) => ({
      isBefore: originalStart < own,
      day: dayOf((master.exceptions?.get(originalStart)?.content.timing ?? usual).startMs),
    }));
  const day = dayOf(timing.startMs);
  if (others.every((other) => (other.isBefore ? other.day < day : other.day > day))) return;
  throw refuse(
    400,
    'ErrorOccurrenceCrossingBoundary',
    'Modified occurrence is crossing or overlapping adjacent occurrence.',
  );
}
