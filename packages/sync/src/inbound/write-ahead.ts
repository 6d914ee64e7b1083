import type { AppliedCounts } from '@bookiji/db';
import type { FoldedPage } from './fold-changes.ts';

/** So that one core of the database is not what everything waits for; more would take from others' syncs. */
const PAGES_AT_ONCE = 2;

export interface PageWriter {
  /** Resolves when there is room for the next page. Rejects with the failure of an earlier one. */
  add(page: FoldedPage): Promise<void>;
  /** Waits for all pages; what they changed together. */
  end(): Promise<AppliedCounts>;
}

/**
 * Writes the pages of a first round while the next ones are read. Pages that speak of the same event are never written
 * at the same time: the later one wins.
 */
export function createPageWriter(write: (page: FoldedPage) => Promise<AppliedCounts>): PageWriter {
  const total = { putCount: 0, droppedCount: 0 };
  let underway: (Named & { readonly done: Promise<void> })[] = [];

  const start = (page: FoldedPage, ids: ReadonlySet<string>) => {
    const done = write(page).then((counts) => {
      total.putCount += counts.putCount;
      total.droppedCount += counts.droppedCount;
      underway = underway.filter((one) => one.done !== done);
    });
    // Heard when the next page comes, or the end; if reading fails first, its own failure must not go unheard.
    done.catch(() => undefined);
    underway.push({ page, ids, done });
  };

  return {
    async add(page) {
      const ids = idsOf(page);
      if (underway.some((one) => isShared(one, { page, ids }))) await Promise.all(underway.map(({ done }) => done));
      start(page, ids);
      if (underway.length >= PAGES_AT_ONCE) await Promise.race(underway.map(({ done }) => done));
    },
    async end() {
      await Promise.all(underway.map(({ done }) => done));
      return total;
    },
  };
}

interface Named {
  readonly page: FoldedPage;
  readonly ids: ReadonlySet<string>;
}

/** A reset speaks of events that it does not name. */
function isShared(one: Named, other: Named): boolean {
  if (one.page.resetSeriesIds.length > 0 || other.page.resetSeriesIds.length > 0) return true;
  for (const id of other.ids) if (one.ids.has(id)) return true;
  return false;
}

function idsOf(page: FoldedPage): Set<string> {
  const ids = new Set(page.dropIds);
  for (const { eventId } of page.puts) ids.add(eventId);
  return ids;
}
