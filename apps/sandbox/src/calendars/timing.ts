import { fromWall } from './zone-time.ts';

/** When an event is. Ends are exclusive. */
export interface Timing {
  readonly isAllDay: boolean;
  /** Instants; for all-day events those of the calendar's own zone. */
  readonly startMs: number;
  readonly endMs: number;
  /** Zone the event was written in; null when only offsets were given, and for all-day events. */
  readonly startZone: string | null;
  readonly endZone: string | null;
  /** Midnights as wall time, for all-day events alone. */
  readonly startDay: number | null;
  readonly endDay: number | null;
}

export function timed(startMs: number, endMs: number, startZone: string | null, endZone = startZone): Timing {
  return { isAllDay: false, startMs, endMs, startZone, endZone, startDay: null, endDay: null };
}

/** @param startDay midnight as wall time. @param endDay the first midnight after the event. */
export function allDay(startDay: number, endDay: number, calendarZone: string): Timing {
  const startMs = fromWall(calendarZone, startDay);
  const endMs = fromWall(calendarZone, endDay);
  return { isAllDay: true, startMs, endMs, startZone: null, endZone: null, startDay, endDay };
}

/**
 * Start inclusive, end exclusive, so touching is not overlapping.
 * See developers.google.com/workspace/calendar/api/v3/reference/events.
 */
export function overlaps(timing: Timing, fromMs: number, toMs: number): boolean {
  return timing.startMs < toMs && timing.endMs > fromMs;
}
