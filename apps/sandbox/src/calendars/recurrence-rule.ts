/** A recurrence rule as far as the sandbox understands it: RFC 5545 with one RRULE and EXDATEs. Pure. */
import { DAY_MS, parseDate } from './zone-time.ts';

export const WEEKDAYS: readonly string[] = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
const FREQUENCIES = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const;

export interface WeekdayRule {
  /** 0 is Sunday. */
  readonly day: number;
  /** The n-th of the month, from its end when negative; null for every one. */
  readonly nth: number | null;
}

export interface RecurrenceRule {
  readonly frequency: (typeof FREQUENCIES)[number];
  readonly interval: number;
  readonly count: number | null;
  /** Last instant at which an occurrence may start; for all-day series the last midnight as wall time. */
  readonly until: number | null;
  readonly byDay: readonly WeekdayRule[];
  readonly byMonthDay: readonly number[];
  /** 0 is Sunday. */
  readonly weekStart: number;
  /** Starts left out: instants, or midnights as wall time for all-day series. */
  readonly excluded: ReadonlySet<number>;
  /** As it was written. */
  readonly lines: readonly string[];
}

/** @returns null for anything not understood, which the caller refuses rather than guesses. */
export function parseRule(lines: readonly string[]): RecurrenceRule | null {
  const ruleLines = lines.filter((line) => line.startsWith('RRULE:'));
  const rest = lines.filter((line) => !line.startsWith('RRULE:'));
  if (ruleLines.length !== 1 || ruleLines[0] === undefined) return null;
  const parts = new Map<string, string>();
  for (const part of ruleLines[0].slice('RRULE:'.length).split(';')) {
    const [name, value] = part.split('=', 2);
    if (name === undefined || value === undefined || value === '') return null;
    parts.set(name.toUpperCase(), value);
  }
  const excluded = parseExclusions(rest);
  return excluded === null ? null : readParts(parts, excluded, lines);
}

const KNOWN = new Set(['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'BYDAY', 'BYMONTHDAY', 'WKST']);

function readParts(parts: Map<string, string>, excluded: Set<number>, lines: readonly string[]): RecurrenceRule | null {
  if ([...parts.keys()].some((name) => !KNOWN.has(name))) return null;
  const frequency = FREQUENCIES.find((name) => name === parts.get('FREQ'));
  const interval = wholeNumber(parts.get('INTERVAL') ?? '1');
  const count = parts.has('COUNT') ? wholeNumber(parts.get('COUNT') ?? '') : null;
  const until = parts.has('UNTIL') ? parseStamp(parts.get('UNTIL') ?? '') : null;
  const byDay = (parts.get('BYDAY')?.split(',') ?? []).map(parseWeekday);
  const byMonthDay = (parts.get('BYMONTHDAY')?.split(',') ?? []).map(Number);
  const weekStart = WEEKDAYS.indexOf(parts.get('WKST') ?? 'MO');
  if (frequency === undefined || interval === undefined || count === undefined || until === undefined) return null;
  if (count !== null && until !== null) return null;
  if (weekStart < 0 || byMonthDay.some((day) => !Number.isInteger(day) || day < 1 || day > 31)) return null;
  const days = byDay.filter((rule) => rule !== null);
  if (days.length !== byDay.length) return null;
  return { frequency, interval, count, until, byDay: days, byMonthDay, weekStart, excluded, lines };
}

function wholeNumber(text: string): number | undefined {
  return /^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined;
}

function parseWeekday(text: string): WeekdayRule | null {
  const match = /^([+-]?[1-5])?(SU|MO|TU|WE|TH|FR|SA)$/.exec(text);
  if (match === null) return null;
  const day = WEEKDAYS.indexOf(match[2] ?? '');
  return { day, nth: match[1] === undefined ? null : Number(match[1]) };
}

/** `20261124T090000Z` or `20261124`. */
export function parseStamp(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})Z)?$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const midnight = parseDate(`${year}-${month}-${day}`);
  if (midnight === null) return undefined;
  const instant = Date.parse(`${year}-${month}-${day}T${hour ?? '00'}:${minute ?? '00'}:${second ?? '00'}Z`);
  return Number.isNaN(instant) ? undefined : instant;
}

/** The inverse of `parseStamp`. */
export function stampText(ms: number, isDate: boolean): string {
  const text = new Date(ms).toISOString().replace(/[-:]/g, '');
  return isDate ? text.slice(0, 8) : `${text.slice(0, 15)}Z`;
}

function parseExclusions(lines: readonly string[]): Set<number> | null {
  const excluded = new Set<number>();
  for (const line of lines) {
    const match = /^EXDATE(?:;VALUE=DATE)?:(.+)$/.exec(line);
    if (match === null) return null;
    for (const stamp of match[1]?.split(',') ?? []) {
      const instant = parseStamp(stamp);
      if (instant === undefined) return null;
      excluded.add(instant);
    }
  }
  return excluded;
}

/**
 * The days on which the rule falls, as midnights of wall time, from `firstDay` on and without end.
 * The caller stops at COUNT and UNTIL, which are counted in occurrences and instants.
 */
export function* ruleDays(rule: RecurrenceRule, firstDay: number): Generator<number> {
  if (rule.frequency === 'DAILY') return yield* dailyDays(rule, firstDay);
  if (rule.frequency === 'WEEKLY') return yield* weeklyDays(rule, firstDay);
  yield* monthlyDays(rule, firstDay, rule.frequency === 'YEARLY' ? rule.interval * 12 : rule.interval);
}

function* dailyDays(rule: RecurrenceRule, firstDay: number): Generator<number> {
  for (let day = firstDay; ; day += rule.interval * DAY_MS) {
    if (rule.byDay.length === 0 || rule.byDay.some((weekday) => weekday.day === weekdayOf(day))) yield day;
  }
}

function* weeklyDays(rule: RecurrenceRule, firstDay: number): Generator<number> {
  const wanted = rule.byDay.length === 0 ? [weekdayOf(firstDay)] : rule.byDay.map((weekday) => weekday.day);
  const offsets = wanted.map((day) => (day - rule.weekStart + 7) % 7).sort((left, right) => left - right);
  const weekOfFirst = firstDay - ((weekdayOf(firstDay) - rule.weekStart + 7) % 7) * DAY_MS;
  for (let week = weekOfFirst; ; week += rule.interval * 7 * DAY_MS) {
    for (const offset of offsets) {
      const day = week + offset * DAY_MS;
      if (day >= firstDay) yield day;
    }
  }
}

function* monthlyDays(rule: RecurrenceRule, firstDay: number, months: number): Generator<number> {
  const first = new Date(firstDay);
  for (let step = 0; step < 12_000; step += 1) {
    const month = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + step * months, 1);
    for (const day of daysOfMonth(rule, month, first.getUTCDate())) if (day >= firstDay) yield day;
  }
}

function daysOfMonth(rule: RecurrenceRule, month: number, dayOfFirst: number): number[] {
  const length = new Date(
    Date.UTC(new Date(month).getUTCFullYear(), new Date(month).getUTCMonth() + 1, 0),
  ).getUTCDate();
  const all = Array.from({ length }, (_, index) => month + index * DAY_MS);
  if (rule.byDay.length > 0) return all.filter((day) => rule.byDay.some((weekday) => isNth(weekday, day, length)));
  const wanted = rule.byMonthDay.length === 0 ? [dayOfFirst] : rule.byMonthDay;
  return all.filter((day) => wanted.includes(new Date(day).getUTCDate()));
}

function isNth(rule: WeekdayRule, day: number, length: number): boolean {
  if (weekdayOf(day) !== rule.day) return false;
  const date = new Date(day).getUTCDate();
  if (rule.nth === null) return true;
  return rule.nth > 0 ? Math.ceil(date / 7) === rule.nth : Math.ceil((length - date + 1) / 7) === -rule.nth;
}

function weekdayOf(day: number): number {
  return new Date(day).getUTCDay();
}
