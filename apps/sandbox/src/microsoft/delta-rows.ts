/**
 * Which items a change of one event, or its first listing, puts into the feed.
 * See learn.microsoft.com/graph/api/event-delta.
 */
import type { StoredEvent } from '../calendars/calendar-event.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { type EventRow, rowOf } from '../calendars/event-row.ts';
import { overlaps, timed } from '../calendars/timing.ts';
import { showBareOccurrence, showRow, showRowId, type View } from './event-resource.ts';
import { seriesRows } from './events-read.ts';
import type { Resource } from './resource.ts';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** In the first round: what lives in the window, a series whole and in one piece. */
export function itemsInFull(event: StoredEvent, span: Span, view: View): Resource[] {
  if (event.isCancelled || event.master !== null) return [];
  if (event.content.rule !== null) return wholeSeries(event, span, view) ?? [];
  return overlaps(event.content.timing, span.fromMs, span.toMs) ? [whole(rowOf(event), view)] : [];
}

/**
 * In an increment: a series whole again whatever changed about it, so that a deleted occurrence is merely missing; and
 * whatever lies outside the window as removed, even when it was never inside.
 */
export function itemsInDelta(root: StoredEvent, span: Span, view: View): Resource[] {
  if (root.isCancelled) return [removed(rowOf(root), view)];
  if (root.content.rule !== null) return wholeSeries(root, span, view) ?? [removed(rowOf(root), view)];
  const former = formerOccurrences(root, view);
  const isInside = overlaps(root.content.timing, span.fromMs, span.toMs);
  return [...former, isInside ? whole(rowOf(root), view) : removed(rowOf(root), view)];
}

/**
 * The master, with the dates of its first occurrence, and what of the series lies in the window; null if nothing does.
 */
function wholeSeries(master: StoredEvent, span: Span, view: View): Resource[] | null {
  const rows = seriesRows(view.store, master, span);
  if (rows.length === 0) return null;
  const members = rows.map((row) => (row.occurrence === null ? whole(row, view) : showBareOccurrence(row, view)));
  return [whole(rowOf(master), view), ...members];
}

/** Of a series that became a single event. */
function formerOccurrences(event: StoredEvent, view: View): Resource[] {
  return [...(event.retiredStarts ?? [])].map((originalStart) => {
    const occurrence = { originalStart, timing: timed(originalStart, originalStart, null) };
    return removed({ event, occurrence, isCancelled: true }, view);
  });
}

function whole(row: EventRow, view: View): Resource {
  return { '@odata.type': '#microsoft.graph.event', ...showRow(row, view) };
}

function removed(row: EventRow, view: View): Resource {
  return { '@odata.type': '#microsoft.graph.event', id: showRowId(row, view), '@removed': { reason: 'deleted' } };
}

/**
 * The events that changed after `after`, up to `upTo`, each family (a series and its exceptions) once, where its last
 * change lies. What changes while pages are read waits for the next round.
 */
export function* changedRoots(
  store: CalendarStore,
  from: number,
  upTo: number,
): Generator<readonly [position: number, root: StoredEvent]> {
  for (const event of store.changesAfter(from - 1)) {
    if (event.changeNumber > upTo) return;
    const root = event.master ?? event;
    if (event.changeNumber === lastChange(root, upTo)) yield [event.changeNumber, root];
  }
}

function lastChange(root: StoredEvent, upTo: number): number {
  let last = root.changeNumber <= upTo ? root.changeNumber : 0;
  for (const { changeNumber } of root.exceptions?.values() ?? []) {
    if (changeNumber <= upTo) last = Math.max(last, changeNumber);
  }
  return last;
}
