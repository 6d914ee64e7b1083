/** Reading what the feed leaves out about a series. */

import { type EventPage, readEventPage } from './event-page.ts';
import { type Graph, isRefusal } from './graph-client.ts';
import { EVENT_FIELDS, type GraphEvent, readGraphEvent } from './graph-event.ts';
import { eventPath, withQuery } from './graph-paths.ts';
import type { MasterFacts } from './map-event.ts';
import { factsOf } from './plan-series.ts';

export type SeriesReading =
  /** Every occurrence inside the window. */
  | { readonly state: 'whole'; readonly items: readonly GraphEvent[] }
  /** Proven: Graph has no such event any more. */
  | { readonly state: 'gone' }
  /** Graph has the event but will not list it as a series. */
  | { readonly state: 'unlisted' };

/** The master's facts; null when there is no such event any more or it may not be read: then doubt is busy. */
export async function readMaster(graph: Graph, masterId: string, signal: AbortSignal): Promise<MasterFacts | null> {
  const path = withQuery(eventPath(masterId), { $select: EVENT_FIELDS });
  try {
    const { body } = await graph.call({ operation: 'get_event', to: { path }, signal });
    const event = readGraphEvent(body);
    return event === null || 'removedId' in event ? null : factsOf(event);
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}

/** All occurrences and exceptions of a series between two instants, page by page. */
export async function readSeries(
  graph: Graph,
  masterId: string,
  window: { readonly startAt: Date; readonly endAt: Date },
  signal: AbortSignal,
): Promise<SeriesReading> {
  const first = withQuery(`${eventPath(masterId)}/instances`, {
    startDateTime: window.startAt.toISOString(),
    endDateTime: window.endAt.toISOString(),
    $select: EVENT_FIELDS,
    $top: '100',
  });
  const items: GraphEvent[] = [];
  let to: { path: string } | { link: string } | null = { path: first };
  try {
    while (to !== null) {
      const { body } = await graph.call({ operation: 'get_event', to, signal });
      const page: EventPage | null = readEventPage(body);
      // An item without an id may be any of them, so such a list proves nothing.
      if (page === null || page.unreadable.length > 0) return { state: 'unlisted' };
      for (const item of page.items) if (!('removedId' in item)) items.push(item);
      to = page.nextLink === null ? null : { link: page.nextLink };
    }
    return { state: 'whole', items };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return (await isGone(graph, masterId, signal)) ? { state: 'gone' } : { state: 'unlisted' };
  }
}

async function isGone(graph: Graph, eventId: string, signal: AbortSignal): Promise<boolean> {
  try {
    await graph.call({
      operation: 'get_event',
      to: { path: withQuery(eventPath(eventId), { $select: 'id' }) },
      signal,
    });
    return false;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return error.kind === 'not_found';
  }
}
