/**
 * One page of the change feed: ask, understand the series on it, complete occurrences from their masters, translate.
 * https://learn.microsoft.com/graph/api/event-delta
 */
import type { Change, ChangePage, ListChangesRequest, UnreadableItem } from '../contract/index.ts';
import { type EventPage, readEventPage } from './event-page.ts';
import { foreignLink, type Graph, unreadableAnswer } from './graph-client.ts';
import type { GraphEvent, GraphRemoval } from './graph-event.ts';
import { ownLink } from './graph-link.ts';
import { calendarPath, withQuery } from './graph-paths.ts';
import type { MailboxZone } from './mailbox-zone.ts';
import { isMaster, mapEvent } from './map-event.ts';
import { newRound, planSeries, type RoundMemory } from './plan-series.ts';
import { readMaster, readSeries } from './read-series.ts';

export interface FeedOptions {
  readonly graph: Graph;
  readonly mailboxZone: MailboxZone;
  readonly calendarId: string;
  readonly graphBaseUrl: string;
  readonly pageSize: number;
}

/** Reads the feed of one calendar. Remembers masters from page to page of a round; rounds follow one another. */
export function openFeed(options: FeedOptions) {
  let round: RoundMemory | null = null;
  return async (request: ListChangesRequest, signal: AbortSignal): Promise<ChangePage> => {
    // Taken up in the middle, a round is unknown: then nothing may be voided on trust.
    if (request.page === null) round = newRound(request.cursor !== null);
    round ??= newRound(true);
    const page = await askForPage(options, request, signal);
    return translate(options, request, page, round, signal);
  };
}

async function askForPage(options: FeedOptions, request: ListChangesRequest, signal: AbortSignal): Promise<EventPage> {
  const link = request.page ?? request.cursor;
  const to = link === null ? { path: firstPath(options.calendarId, request) } : { link };
  const operation = 'list_changes';
  const { status, body } = await options.graph.call({ operation, to, pageSize: options.pageSize, signal });
  const page = readEventPage(body);
  if (page === null || (page.nextLink === null && page.deltaLink === null))
    throw unreadableAnswer({ operation }, status);
  for (const next of [page.nextLink, page.deltaLink]) {
    if (next !== null && ownLink(next, options.graphBaseUrl) === null) throw foreignLink(operation);
  }
  return page;
}

/** The bounds go into the first call alone; Graph writes them into its links. */
function firstPath(calendarId: string, { window }: ListChangesRequest): string {
  return withQuery(`${calendarPath(calendarId)}/calendarView/delta`, {
    startDateTime: window.startAt.toISOString(),
    endDateTime: window.endAt.toISOString(),
  });
}

async function translate(
  options: FeedOptions,
  request: ListChangesRequest,
  page: EventPage,
  round: RoundMemory,
  signal: AbortSignal,
): Promise<ChangePage> {
  const settled = await settleSeries(options, request, page.items, round, signal);
  await completeMasters(options, settled.items, round, signal);
  const mailboxZone = settled.items.some((item) => isAllDay(item, round))
    ? await options.mailboxZone.read(signal)
    : null;
  const { changes, unreadable } = mapItems(settled.items, round, mailboxZone);
  const resets = resettable(settled.replace, settled.items, unreadable);
  for (const seriesId of resets) round.replaced.add(seriesId);
  return {
    // First of all: what the page says of a series stands after its reset.
    changes: [...resets.map((seriesId) => ({ kind: 'series_reset', seriesId }) as const), ...changes],
    unreadable: [...page.unreadable, ...unreadable],
    nextPage: page.nextLink,
    cursor: page.nextLink === null ? page.deltaLink : null,
  };
}

type PageItem = GraphEvent | GraphRemoval;

/** Reads the series that the page does not show whole, and puts what was read in the place of what the page says. */
async function settleSeries(
  options: FeedOptions,
  request: ListChangesRequest,
  items: readonly PageItem[],
  round: RoundMemory,
  signal: AbortSignal,
): Promise<{ readonly items: readonly PageItem[]; readonly replace: readonly string[] }> {
  const plan = planSeries(items, round);
  const replace = [...plan.replace];
  let settled = items;
  for (const seriesId of plan.read) {
    const reading = await readSeries(options.graph, seriesId, request.window, signal);
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
async function completeMasters(
  options: FeedOptions,
  items: readonly PageItem[],
  round: RoundMemory,
  signal: AbortSignal,
): Promise<void> {
  for (const item of items) {
    if ('removedId' in item || item.seriesMasterId === null || item.showAs !== null) continue;
    if (round.masters.has(item.seriesMasterId)) continue;
    round.masters.set(item.seriesMasterId, await readMaster(options.graph, item.seriesMasterId, signal));
  }
}

function mapItems(items: readonly PageItem[], round: RoundMemory, mailboxZone: string | null) {
  const changes: Change[] = [];
  const unreadable: UnreadableItem[] = [];
  for (const item of items) {
    if ('removedId' in item) {
      changes.push({ kind: 'tombstone', eventId: item.removedId, seriesId: null });
    } else if (!isMaster(item)) {
      const mapped = mapEvent(item, { master: masterOf(item, round), mailboxZone });
      if ('kind' in mapped) changes.push(mapped);
      else unreadable.push(mapped);
    }
  }
  return { changes, unreadable };
}

/** A series of which something could not be read keeps what is held of it: voided, that time would seem free. */
function resettable(
  replace: readonly string[],
  items: readonly PageItem[],
  unreadable: readonly UnreadableItem[],
): string[] {
  const badIds = new Set(unreadable.map((item) => item.eventId));
  const kept = new Set<string | null>();
  for (const item of items) if (!('removedId' in item) && badIds.has(item.id)) kept.add(item.seriesMasterId);
  return [...new Set(replace)].filter((seriesId) => !kept.has(seriesId));
}

function masterOf(event: GraphEvent, round: RoundMemory) {
  return event.seriesMasterId === null ? null : (round.masters.get(event.seriesMasterId) ?? null);
}

function isAllDay(item: PageItem, round: RoundMemory): boolean {
  if ('removedId' in item || isMaster(item)) return false;
  return (item.isAllDay ?? masterOf(item, round)?.isAllDay ?? false) === true;
}

function isMemberOf(item: PageItem, seriesId: string): boolean {
  return !('removedId' in item) && item.seriesMasterId === seriesId;
}

function isOccurrenceOf(item: PageItem, seriesId: string): boolean {
  return isMemberOf(item, seriesId) && !('removedId' in item) && item.type === 'occurrence';
}
