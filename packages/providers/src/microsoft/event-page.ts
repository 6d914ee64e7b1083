import type { UnreadableItem } from '../contract/index.ts';
import { type GraphEvent, type GraphRemoval, readGraphEvent } from './graph-event.ts';
import { readPage } from './graph-list.ts';

/** One page of events, of a list or of the feed. */
export interface EventPage {
  /** One per id: the last of a page wins. */
  readonly items: readonly (GraphEvent | GraphRemoval)[];
  readonly unreadable: readonly UnreadableItem[];
  readonly nextLink: string | null;
  readonly deltaLink: string | null;
}

/** @returns null when the body is no page. Pure. */
export function readEventPage(body: unknown): EventPage | null {
  const page = readPage(body);
  if (page === null) return null;
  const items = new Map<string, GraphEvent | GraphRemoval>();
  const unreadable: UnreadableItem[] = [];
  for (const raw of page.value) {
    const item = readGraphEvent(raw);
    if (item === null) {
      unreadable.push({ eventId: null, seriesId: null, reason: 'no_id' });
      continue;
    }
    const id = 'removedId' in item ? item.removedId : item.id;
    items.set(id, item);
  }
  return { items: [...items.values()], unreadable, nextLink: page.nextLink, deltaLink: page.deltaLink };
}
