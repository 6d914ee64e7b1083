/** Acts on what `planSeries` decided: reads series that a page does not show whole, and masters that no page has shown. */
import type { SyncWindow, UnreadableItem } from '../contract/index.ts';
import type { Graph } from './graph-client.ts';
import type { GraphEvent, GraphRemoval } from './graph-event.ts';
import { planSeries, type RoundMemory } from './plan-series.ts';
import { readMaster, readSeries } from './read-series.ts';

export type PageItem = GraphEvent | GraphRemoval;

export interface RoundContext {
  readonly graph: Graph;
  readonly round: RoundMemory;
  readonly window: SyncWindow;
  readonly signal: AbortSignal;
}

export interface SettledItems {
  readonly items: readonly PageItem[];
  /** Series of which everything held is void. */
  readonly replace: readonly string[];
}

/** Reads the series that the page does not show whole, and puts what was read in the place of what the page says. */
export async function settleSeries(items: readonly PageItem[], context: RoundContext): Promise<SettledItems> {
  const { graph, round, window, signal } = context;
  const plan = planSeries(items, round);
  const replace = [...plan.replace];
  let settled = items;
  for (const seriesId of plan.read) {
    const reading = await readSeries(graph, seriesId, window, signal);
    if (reading.state === 'unlisted') {
      // Occurrences come as a whole series; a lone exception leaves the others as they are held.
      const isFirst = !round.replaced.has(seriesId);
      if (isFirst && settled.some((item) => isOccurrenceOf(item, seriesId))) replace.push(seriesId);
      continue;
    }
    replace.push(seriesId);
    const whole = reading.state === 'whole' ? reading.items : [];
    settled = [...settled.filter((item) => !isMemberOf(item, seriesId)), ...whole];
  }
  return { items: settled, replace };
}

/** Asks for the masters of occurrences that say nothing themselves and whose master no page has shown. */
export async function completeMasters(items: readonly PageItem[], context: RoundContext): Promise<void> {
  const { graph, round, signal } = context;
  for (const item of items) {
    if ('removedId' in item || item.seriesMasterId === null || item.showAs !== null) continue;
    if (round.masters.has(item.seriesMasterId)) continue;
    round.masters.set(item.seriesMasterId, await readMaster(graph, item.seriesMasterId, signal));
  }
}

/** A series of which something could not be read keeps what is held of it: voided, that time would seem free. */
export function resettable(
  replace: readonly string[],
  items: readonly PageItem[],
  unreadable: readonly UnreadableItem[],
): string[] {
  const badIds = new Set(unreadable.map((item) => item.eventId));
  const kept = new Set<string | null>();
  for (const item of items) if (!('removedId' in item) && badIds.has(item.id)) kept.add(item.seriesMasterId);
  return [...new Set(replace)].filter((seriesId) => !kept.has(seriesId));
}

function isMemberOf(item: PageItem, seriesId: string): boolean {
  return !('removedId' in item) && item.seriesMasterId === seriesId;
}

function isOccurrenceOf(item: PageItem, seriesId: string): boolean {
  return isMemberOf(item, seriesId) && !('removedId' in item) && item.type === 'occurrence';
}
