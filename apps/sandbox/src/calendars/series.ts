/** The occurrences of a series. */
import type { StoredEvent } from './calendar-event.ts';
import { ruleDays } from './recurrence-rule.ts';
import { allDay, overlaps, type Timing, timed } from './timing.ts';
import { DAY_MS, fromWall, toWall } from './zone-time.ts';

/** Observed, not documented: touching one endless weekly series delivered about 700 instances. */
export const FLOOD = 730;
const MOST = 20_000;

export interface Occurrence {
  /** Instant, or midnight as wall time for all-day series. */
  readonly originalStart: number;
  readonly timing: Timing;
}

interface Expansion {
  readonly days: Generator<number>;
  readonly found: Occurrence[];
  /** Occurrences by the rule, those left out by EXDATE included: COUNT counts them too. */
  counted: number;
  isWhole: boolean;
}

/** One expansion per content: a changed series is another one. */
const expansions = new WeakMap<object, Expansion>();

/** Occurrences by the rule that overlap the span, exceptions not considered. At most `most`, from the series' start. */
export function occurrencesIn(
  master: StoredEvent,
  calendarZone: string,
  span: { fromMs: number; toMs: number } | null,
  most = FLOOD,
): Occurrence[] {
  if (master.content.rule === null) return [];
  const known = expand(master, calendarZone, span?.toMs ?? Number.POSITIVE_INFINITY, span === null ? most : MOST);
  if (span === null) return known.slice(0, most);
  return known.filter((occurrence) => overlaps(occurrence.timing, span.fromMs, span.toMs)).slice(0, most);
}

/** The occurrence that began, or should have begun, at `originalStart`; null when the rule has none there. */
export function occurrenceAt(master: StoredEvent, calendarZone: string, originalStart: number): Occurrence | null {
  const until = originalStart + 2 * DAY_MS;
  const known = expand(master, calendarZone, until, MOST);
  return known.find((occurrence) => occurrence.originalStart === originalStart) ?? null;
}

function expand(master: StoredEvent, calendarZone: string, untilMs: number, most: number): readonly Occurrence[] {
  const { content } = master;
  const { rule, timing } = content;
  if (rule === null) return [];
  let expansion = expansions.get(content);
  if (expansion === undefined) {
    const days = ruleDays(rule, firstDayOf(timing, calendarZone));
    expansion = { days, found: [], counted: 0, isWhole: false };
    expansions.set(content, expansion);
  }
  while (!expansion.isWhole && expansion.found.length < most) {
    const last = expansion.found.at(-1);
    if (last !== undefined && last.timing.startMs >= untilMs) break;
    addNext(expansion, timing, rule, calendarZone);
  }
  return expansion.found;
}

function addNext(
  expansion: Expansion,
  timing: Timing,
  rule: NonNullable<StoredEvent['content']['rule']>,
  zone: string,
): void {
  const next = expansion.days.next();
  if (next.done === true || expansion.counted > 2 * MOST) {
    expansion.isWhole = true;
    return;
  }
  const occurrence = place(timing, next.value, zone);
  if (rule.until !== null && occurrence.originalStart > rule.until) {
    expansion.isWhole = true;
    return;
  }
  expansion.counted += 1;
  if (!rule.excluded.has(occurrence.originalStart)) expansion.found.push(occurrence);
  if (rule.count !== null && expansion.counted >= rule.count) expansion.isWhole = true;
}

/** The wall clock repeats, not the instant: an occurrence keeps its hour across a change of offset. */
function place(timing: Timing, day: number, calendarZone: string): Occurrence {
  if (timing.startDay !== null && timing.endDay !== null) {
    const length = timing.endDay - timing.startDay;
    return { originalStart: day, timing: allDay(day, day + length, calendarZone) };
  }
  const zone = timing.startZone ?? calendarZone;
  const timeOfDay = toWall(zone, timing.startMs) - firstDayOf(timing, calendarZone);
  const startMs = fromWall(zone, day + timeOfDay);
  const moved = timed(startMs, startMs + timing.endMs - timing.startMs, timing.startZone, timing.endZone);
  return { originalStart: startMs, timing: moved };
}

function firstDayOf(timing: Timing, calendarZone: string): number {
  if (timing.startDay !== null) return timing.startDay;
  const wall = toWall(timing.startZone ?? calendarZone, timing.startMs);
  return Math.floor(wall / DAY_MS) * DAY_MS;
}
