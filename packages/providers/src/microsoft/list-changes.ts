/**
 * One page of the change feed: ask, understand the series on it, complete occurrences from their masters, translate.
 * https://learn.microsoft.com/graph/api/event-delta
 */
import type { Change, ChangePage, ListChangesRequest, SyncWindow, UnreadableItem } from '../contract/index.ts';
import { type EventPage, readEventPage } from './event-page.ts';
import { foreignLink, type Graph, unreadableAnswer } from './graph-client.ts';
import type { GraphEvent } from './graph-event.ts';
import { ownLink } from './graph-link.ts';
import { calendarPath, withQuery } from './graph-paths.ts';
import type { MailboxZone } from './mailbox-zone.ts';
import { isHarmless, isMaster, mapEvent } from './map-event.ts';
import { newRound, type RoundMemory } from './plan-series.ts';
import { completeMasters, type PageItem, resettable, settleSeries } from './settle-series.ts';

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
    return translate(page, { ...options, round, window: request.window, signal });
  };
}

async function askForPage(options: FeedOptions, request: ListChangesRequest, signal: AbortSignal): Promise<EventPage> {
  const link = request.page ?? request.cursor;
  const to = link === null ? { path: firstPath(options.calendarId, request) } : { link };
  const operation = 'list_changes';
  // One that was stored under another base leads nowhere any more; the calendar is read afresh from where it is now.
  const isStale = request.page === null && link !== null && ownLink(link, options.graphBaseUrl) === null;
  if (isStale) throw foreignLink(operation, 'cursor_expired');
  const { status, body } = await options.graph.call({ operation, to, pageSize: options.pageSize, signal });
  const page = readEventPage(body);
  const isPage = page !== null && (page.nextLink !== null || page.deltaLink !== null);
  if (!isPage) throw unreadableAnswer({ operation }, status);
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

interface PageContext extends FeedOptions {
  readonly round: RoundMemory;
  readonly window: SyncWindow;
  readonly signal: AbortSignal;
}

async function translate(page: EventPage, context: PageContext): Promise<ChangePage> {
  const { round, mailboxZone: zone, signal } = context;
  const settled = await settleSeries(page.items, context);
  await completeMasters(settled.items, context);
  const mailboxZone = settled.items.some((item) => isAllDay(item, round)) ? await zone.read(signal) : null;
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

function mapItems(items: readonly PageItem[], round: RoundMemory, mailboxZone: string | null) {
  const changes: Change[] = [];
  const unreadable: UnreadableItem[] = [];
  for (const item of items) {
    if ('removedId' in item) {
      changes.push({ kind: 'tombstone', eventId: item.removedId, seriesId: null });
    } else if (!isMaster(item)) {
      const context = { master: masterOf(item, round), mailboxZone };
      const mapped = mapEvent(item, context);
      if ('kind' in mapped) changes.push(mapped);
      else if (isHarmless(item, context))
        changes.push({ kind: 'tombstone', eventId: item.id, seriesId: item.seriesMasterId });
      else unreadable.push(mapped);
    }
  }
  return { changes, unreadable };
}

function masterOf(event: GraphEvent, round: RoundMemory) {
  return event.seriesMasterId === null ? null : (round.masters.get(event.seriesMasterId) ?? null);
}

function isAllDay(item: PageItem, round: RoundMemory): boolean {
  if ('removedId' in item || isMaster(item)) return false;
  return (item.isAllDay ?? masterOf(item, round)?.isAllDay ?? false) === true;
}
