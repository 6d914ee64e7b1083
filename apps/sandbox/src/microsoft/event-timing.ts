/** Reads when an event is. learn.microsoft.com/graph/api/resources/datetimetimezone. */
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { allDay, type Timing, timed } from '../calendars/timing.ts';
import { DAY_MS, fromWall, parseInstant, parseWall } from '../calendars/zone-time.ts';
import { invalidProperty, refuse } from './errors.ts';
import type { Body, Resource } from './resource.ts';
import { readZone } from './zones.ts';

interface Moment {
  readonly ms: number;
  readonly wallMs: number;
  readonly zone: string;
}

/** What is left out stays as it was before. */
export function readTiming(body: Body, store: CalendarStore, before: Timing | null): Timing {
  const isAllDay = body.isAllDay === undefined ? (before?.isAllDay ?? false) : body.isAllDay === true;
  const start = body.start === undefined ? startOf(before) : readMoment(body.start, 'Start');
  const end = body.end === undefined ? endOf(before, start) : readMoment(body.end, 'End');
  if (start === null || end === null) throw invalidProperty('At least one property failed validation: Start, End.');
  if (end.ms < start.ms) {
    throw refuse(
      400,
      'ErrorCalendarEndDateIsEarlierThanStartDate',
      'The end of an event must not be before its start.',
    );
  }
  if (!isAllDay) return timed(start.ms, end.ms, start.zone, end.zone);
  // Midnight in one time zone.
  if (
    start.wallMs % DAY_MS !== 0 ||
    end.wallMs % DAY_MS !== 0 ||
    start.zone !== end.zone ||
    end.wallMs <= start.wallMs
  ) {
    throw invalidProperty(
      'The Event.Start and Event.End of an all-day event need to be midnight in the same time zone.',
    );
  }
  return allDay(start.wallMs, end.wallMs, store.details.timeZone);
}

function readMoment(value: unknown, name: string): Moment {
  const { dateTime, timeZone = 'UTC' } = (value ?? {}) as Resource;
  if (typeof dateTime !== 'string' || (timeZone !== null && typeof timeZone !== 'string')) {
    throw invalidProperty(`At least one property failed validation: ${name}.`);
  }
  const zone = readZone(timeZone ?? 'UTC');
  if (zone === null) {
    throw refuse(400, 'TimeZoneNotSupportedException', 'A valid TimeZone value must be specified.');
  }
  const wallMs = parseWall(dateTime);
  const instant = wallMs === null ? parseInstant(dateTime) : fromWall(zone, wallMs);
  if (instant === null) throw invalidProperty(`At least one property failed validation: ${name}.`);
  return { ms: Math.floor(instant / 1000) * 1000, wallMs: wallMs ?? instant, zone };
}

function startOf(before: Timing | null): Moment | null {
  if (before === null) return null;
  return { ms: before.startMs, wallMs: before.startDay ?? before.startMs, zone: before.startZone ?? 'UTC' };
}

/** A new start alone keeps the end, as any omitted property is kept. */
function endOf(before: Timing | null, start: Moment | null): Moment | null {
  if (before === null) return null;
  const zone = before.isAllDay ? (start?.zone ?? 'UTC') : (before.endZone ?? 'UTC');
  return { ms: before.endMs, wallMs: before.endDay ?? before.endMs, zone };
}
