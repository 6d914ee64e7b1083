import type { ChangePage, UnreadableItem } from '@bookiji/providers/contract';

/** Which items of a feed cannot be read, page after page of one round. */
export interface DoubtTracker {
  /** @param page of which `ownIds` are events of bookings, and no doubt whatever was thought of them before. */
  note(page: Pick<ChangePage, 'changes' | 'unreadable'> & { readonly ownIds: readonly string[] }): void;
  /** What cannot be read as of the last page that was noted. */
  items(): readonly UnreadableItem[];
}

/**
 * An item stops being a doubt when the feed tells of it in a way that can be read, takes it back, or tells of its whole series
 * afresh. That a series' own id is gone says nothing of its occurrences: Google's adapter says so of every series of which
 * one occurrence changed. One without an id can be told from no other, so that only a round that shows everything ends it. Pure.
 *
 * @param known what could not be read before this round; nothing for a full one.
 */
export function trackDoubts(known: readonly UnreadableItem[]): DoubtTracker {
  const open = new Map(known.map((item) => [item.eventId, item]));
  /** An event that its owner made repeat keeps its id for the series. */
  const settleSeries = (seriesId: string) => {
    open.delete(seriesId);
    for (const item of open.values()) if (item.seriesId === seriesId) open.delete(item.eventId);
  };
  return {
    note({ changes, unreadable, ownIds }) {
      for (const id of ownIds) open.delete(id);
      if (open.size > 0) {
        for (const change of changes) {
          if (change.kind === 'series_reset') settleSeries(change.seriesId);
          else open.delete(change.eventId);
        }
      }
      for (const item of unreadable) open.set(item.eventId, item);
    },
    items: () => [...open.values()],
  };
}
