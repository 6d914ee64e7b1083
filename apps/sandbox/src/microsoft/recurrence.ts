/** Graph's recurrence beside the calendar's own rule. https://learn.microsoft.com/graph/api/resources/patternedrecurrence */
import { parseRule, type RecurrenceRule, stampText, type WeekdayRule } from '../calendars/recurrence-rule.ts';
import type { Timing } from '../calendars/timing.ts';
import { DAY_MS, dateText, fromWall, parseDate, toWall } from '../calendars/zone-time.ts';
import { invalidProperty } from './errors.ts';
import type { Resource } from './resource.ts';
import { readZone, showZone } from './zones.ts';

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const SHORT_DAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
const INDEXES = ['first', 'second', 'third', 'fourth', 'last'];

export function showRecurrence(rule: RecurrenceRule, timing: Timing, calendarZone: string): Resource {
  return { pattern: showPattern(rule, timing, calendarZone), range: showRange(rule, timing, calendarZone) };
}

function showPattern(rule: RecurrenceRule, timing: Timing, calendarZone: string): Resource {
  const firstDay = new Date(firstDayOf(timing, calendarZone));
  const base = {
    interval: rule.interval,
    month: rule.frequency === 'YEARLY' ? firstDay.getUTCMonth() + 1 : 0,
    dayOfMonth: 0,
    daysOfWeek: rule.byDay.map(({ day }) => DAYS[day]),
    firstDayOfWeek: DAYS[rule.weekStart],
    index: 'first',
  };
  switch (rule.frequency) {
    case 'DAILY':
      return rule.byDay.length === 0 ? { ...base, type: 'daily' } : { ...base, type: 'weekly' };
    case 'WEEKLY':
      return {
        ...base,
        type: 'weekly',
        daysOfWeek: base.daysOfWeek.length > 0 ? base.daysOfWeek : [DAYS[firstDay.getUTCDay()]],
      };
    default: {
      const kind = rule.frequency === 'MONTHLY' ? 'Monthly' : 'Yearly';
      if (rule.byDay.length === 0) {
        const dayOfMonth = rule.byMonthDay[0] ?? firstDay.getUTCDate();
        return { ...base, type: `absolute${kind}`, dayOfMonth };
      }
      return { ...base, type: `relative${kind}`, index: showIndex(rule.byDay) };
    }
  }
}

function showIndex(byDay: readonly WeekdayRule[]): string {
  const nth = byDay[0]?.nth ?? 1;
  return INDEXES[nth < 0 ? 4 : nth - 1] ?? 'first';
}

function showRange(rule: RecurrenceRule, timing: Timing, calendarZone: string): Resource {
  const zone = timing.startZone ?? calendarZone;
  const startDate = dateText(firstDayOf(timing, calendarZone));
  const base = { startDate, recurrenceTimeZone: showZone(zone), endDate: '0001-01-01', numberOfOccurrences: 0 };
  if (rule.count !== null) return { ...base, type: 'numbered', numberOfOccurrences: rule.count };
  if (rule.until === null) return { ...base, type: 'noEnd' };
  const lastDay = timing.isAllDay ? rule.until : toWall(zone, rule.until);
  return { ...base, type: 'endDate', endDate: dateText(lastDay) };
}

function firstDayOf(timing: Timing, calendarZone: string): number {
  if (timing.startDay !== null) return timing.startDay;
  return Math.floor(toWall(timing.startZone ?? calendarZone, timing.startMs) / DAY_MS) * DAY_MS;
}

/** @returns null for null: no series. Refuses what Graph refuses, and what the sandbox cannot expand. */
export function readRecurrence(value: unknown, timing: Timing, calendarZone: string): RecurrenceRule | null {
  if (value === null || value === undefined) return null;
  const { pattern, range } = value as { pattern?: Resource; range?: Resource };
  if (typeof pattern !== 'object' || typeof range !== 'object') {
    throw invalidProperty('The recurrence needs a pattern and a range.');
  }
  const parts = [...readPattern(pattern), ...readRange(range, timing, calendarZone)];
  const rule = parseRule([`RRULE:${parts.join(';')}`]);
  if (rule === null) throw invalidProperty('The recurrence is not valid.');
  return rule;
}

function readPattern(pattern: Resource): string[] {
  const { type, interval = 1, daysOfWeek = [], dayOfMonth, firstDayOfWeek = 'sunday', index = 'first' } = pattern;
  const days = readDays(daysOfWeek);
  const start = SHORT_DAYS[DAYS.indexOf(String(firstDayOfWeek).toLowerCase())];
  const common = [`INTERVAL=${String(interval)}`, ...(start === undefined ? [] : [`WKST=${start}`])];
  switch (type) {
    case 'daily':
      return ['FREQ=DAILY', ...common];
    case 'weekly':
      if (days.length === 0) throw invalidProperty('A weekly pattern needs daysOfWeek.');
      return ['FREQ=WEEKLY', ...common, `BYDAY=${days.join(',')}`];
    case 'absoluteMonthly':
    case 'absoluteYearly':
      return [`FREQ=${type.slice(8).toUpperCase()}`, ...common, `BYMONTHDAY=${String(dayOfMonth)}`];
    case 'relativeMonthly':
    case 'relativeYearly': {
      const place = INDEXES.indexOf(String(index));
      if (days.length === 0 || place < 0) throw invalidProperty('A relative pattern needs daysOfWeek and index.');
      const nth = place === 4 ? -1 : place + 1;
      return [`FREQ=${type.slice(8).toUpperCase()}`, ...common, `BYDAY=${days.map((day) => `${nth}${day}`).join(',')}`];
    }
    default:
      throw invalidProperty('The recurrence pattern has no valid type.');
  }
}

function readDays(value: unknown): string[] {
  if (!Array.isArray(value)) throw invalidProperty('daysOfWeek must be a list.');
  return value.map((name) => {
    const day = SHORT_DAYS[DAYS.indexOf(String(name).toLowerCase())];
    if (day === undefined) throw invalidProperty('daysOfWeek names no day.');
    return day;
  });
}

function readRange(range: Resource, timing: Timing, calendarZone: string): string[] {
  const first = firstDayOf(timing, calendarZone);
  if (range.startDate !== undefined && range.startDate !== dateText(first)) {
    throw invalidProperty('The range must start on the day of the first occurrence.');
  }
  if (range.type === 'noEnd') return [];
  if (range.type === 'numbered') return [`COUNT=${String(range.numberOfOccurrences)}`];
  const lastDay = range.type === 'endDate' ? parseDate(String(range.endDate)) : null;
  if (lastDay === null || lastDay < first) throw invalidProperty('The recurrence range is not valid.');
  if (timing.isAllDay) return [`UNTIL=${stampText(lastDay, true)}`];
  const zone = readZone(String(range.recurrenceTimeZone ?? '')) ?? timing.startZone ?? calendarZone;
  return [`UNTIL=${stampText(fromWall(zone, lastDay + DAY_MS) - 1000, false)}`];
}
