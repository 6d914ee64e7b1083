/**
 * What a page says about recurring series. Pure.
 *
 * The feed repeats a whole series on one page whenever anything about it changes, and gives no tombstone for a deleted
 * occurrence; so the occurrences that are held must be replaced by those on the page. But that is an observation, not a
 * promise, and replacing a series by a part of it would free time that is not free. Hence: a page is trusted with a
 * series only when it looks whole, and otherwise the series is read. See docs/decisions/0011.
 */
import type { GraphEvent, GraphRemoval } from './graph-event.ts';
import { isMaster, type MasterFacts } from './map-event.ts';

/** What one round of the feed has shown so far. Lives as long as the round. */
export interface RoundMemory {
  /** From a cursor: what is held stays unless it is replaced. Without one everything is replaced in the end anyway. */
  readonly isIncremental: boolean;
  readonly masters: Map<string, MasterFacts | null>;
  /** Series whose held occurrences this round has already voided; their later items only add. */
  readonly replaced: Set<string>;
  /** Series with a living item in this round. */
  readonly alive: Set<string>;
}

export function newRound(isIncremental: boolean): RoundMemory {
  return { isIncremental, masters: new Map(), replaced: new Set(), alive: new Set() };
}

export interface SeriesPlan {
  /** Void what is held; the page has it all. */
  readonly replace: readonly string[];
  /** Ask Graph for the series before anything is voided. */
  readonly read: readonly string[];
}

/** Decides for every series that the page touches, and notes in `round` what the page shows. */
export function planSeries(items: readonly (GraphEvent | GraphRemoval)[], round: RoundMemory): SeriesPlan {
  const seen = lookThrough(items);
  for (const [seriesId, facts] of seen.masters) round.masters.set(seriesId, facts);
  for (const seriesId of seen.series.keys()) round.alive.add(seriesId);

  const replace: string[] = [];
  const read: string[] = [];
  for (const [seriesId, look] of seen.series) {
    if (seen.removed.has(seriesId) || round.replaced.has(seriesId)) continue;
    const isWhole = look.occurrences > 0 && look.hasMaster;
    (isWhole || !round.isIncremental ? replace : read).push(seriesId);
  }
  for (const removedId of seen.removed) {
    // Most are single events, and voiding a series that nobody holds does nothing. A master that is removed while its
    // occurrences are shown is a contradiction: the feed also calls removed what only lies outside the window.
    (round.alive.has(removedId) ? read : replace).push(removedId);
  }
  return { replace, read };
}

interface SeriesLook {
  occurrences: number;
  hasMaster: boolean;
}

function lookThrough(items: readonly (GraphEvent | GraphRemoval)[]) {
  const series = new Map<string, SeriesLook>();
  const masters = new Map<string, MasterFacts>();
  const removed = new Set<string>();
  const lookOf = (seriesId: string) => {
    const look = series.get(seriesId) ?? { occurrences: 0, hasMaster: false };
    series.set(seriesId, look);
    return look;
  };
  for (const item of items) {
    if ('removedId' in item) {
      removed.add(item.removedId);
    } else if (isMaster(item)) {
      masters.set(item.id, factsOf(item));
      lookOf(item.id).hasMaster = true;
    } else if (item.seriesMasterId !== null) {
      const look = lookOf(item.seriesMasterId);
      if (item.type === 'occurrence') look.occurrences += 1;
    }
  }
  return { series, masters, removed };
}

/** What occurrences take from this master, and no more of it. */
export function factsOf(master: GraphEvent): MasterFacts {
  const { isAllDay, isCancelled, showAs, response, originalZone } = master;
  return { isAllDay, isCancelled, showAs, response, originalZone };
}
