/** What can be shown and addressed as one event: a stored one, or an occurrence that exists by its series' rule alone. */
import type { StoredEvent } from './calendar-event.ts';
import type { CalendarStore } from './calendar-store.ts';
import { parseStamp, stampText } from './recurrence-rule.ts';
import { type Occurrence, occurrenceAt, occurrencesIn } from './series.ts';
import { overlaps, type Timing } from './timing.ts';

export interface EventRow {
  readonly event: StoredEvent;
  /** Set for an occurrence by rule; then `event` is the series. */
  readonly occurrence: Occurrence | null;
  readonly isCancelled: boolean;
}

export function rowOf(event: StoredEvent): EventRow {
  return { event, occurrence: null, isCancelled: event.isCancelled };
}

export function rowId(row: EventRow): string {
  return row.occurrence === null ? row.event.id : occurrenceId(row.event, row.occurrence.originalStart);
}

export function rowTiming(row: EventRow): Timing {
  return row.occurrence?.timing ?? row.event.content.timing;
}

export function occurrenceId(master: StoredEvent, originalStart: number): string {
  return `${master.id}_${stampText(originalStart, master.content.timing.isAllDay)}`;
}

/** Deleted events are found too. */
export function findRow(store: CalendarStore, id: string): EventRow | null {
  const event = store.get(id);
  if (event !== undefined) return rowOf(event);
  const match = /^(.+)_(\d{8}(?:T\d{6}Z)?)$/.exec(id);
  const master = match?.[1] === undefined ? undefined : store.get(match[1]);
  const originalStart = parseStamp(match?.[2] ?? '');
  if (master === undefined || originalStart === undefined) return null;
  const occurrence = occurrenceAt(master, store.details.timeZone, originalStart);
  return occurrence === null ? null : { event: master, occurrence, isCancelled: master.isCancelled };
}

/** The living events of a span, series expanded. */
export function* rowsBetween(store: CalendarStore, fromMs: number, toMs: number): Generator<EventRow> {
  for (const event of store.order) {
    if (event.isCancelled) continue;
    if (event.content.rule === null) {
      if (overlaps(event.content.timing, fromMs, toMs)) yield rowOf(event);
      continue;
    }
    for (const occurrence of occurrencesIn(event, store.details.timeZone, { fromMs, toMs }, Number.POSITIVE_INFINITY)) {
      if (event.exceptions?.has(occurrence.originalStart) !== true) yield { event, occurrence, isCancelled: false };
    }
  }
}
