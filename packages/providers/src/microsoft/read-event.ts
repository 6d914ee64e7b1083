/** Reading a booking's event: by id, or by the key it was created under. */
import type { CreationKey, EventReading, Operation, RemoteEvent } from '../contract/index.ts';
import { ProviderError } from '../contract/index.ts';
import { EXPAND_PROPERTIES, keyFilter, readKey } from './booking-properties.ts';
import { type EventPage, readEventPage } from './event-page.ts';
import { type Graph, unreadableAnswer } from './graph-client.ts';
import { EVENT_FIELDS, type GraphEvent, readGraphEvent } from './graph-event.ts';
import { calendarPath, eventPath, withQuery } from './graph-paths.ts';
import type { MailboxZone } from './mailbox-zone.ts';
import { isMaster, mapEvent } from './map-event.ts';
import { ownError } from './own-error.ts';
import { readSeries } from './read-series.ts';

const WANTED = { $select: EVENT_FIELDS, $expand: EXPAND_PROPERTIES };

export interface EventReaderOptions {
  readonly graph: Graph;
  readonly mailboxZone: MailboxZone;
  readonly calendarId: string;
}

/** `gone` on 404 and 410, and for a cancelled event: a cancellation can leave it in the calendar. */
export async function getEvent(
  options: EventReaderOptions,
  eventId: string,
  signal: AbortSignal,
): Promise<EventReading> {
  const operation = 'get_event';
  try {
    const path = withQuery(eventPath(eventId), WANTED);
    const { status, body } = await options.graph.call({ operation, to: { path }, signal });
    const event = readGraphEvent(body);
    if (event === null) throw unreadableAnswer({ operation }, status);
    return await toReading(options, event, operation, signal);
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'not_found') return { state: 'gone' };
    throw error;
  }
}

/** As many as Graph gives at once; the default is 10. */
const EVENTS_A_PAGE = 1_000;

/**
 * Looks for the living event of a key. Pages are followed to their end: Outlook filters after it pages, so that a page
 * may be empty before the one that matters.
 *
 * An event that is deleted between two pages moves those behind it forward, perhaps past the edge. So what was not found
 * on several pages is looked for once more before it counts as gone: who believes it writes a second event, or leaves a
 * cancelled one.
 */
export async function findEvent(
  options: EventReaderOptions,
  key: CreationKey,
  signal: AbortSignal,
): Promise<EventReading> {
  const first = await searchPages(options, key, signal);
  if (first.reading.state === 'live' || first.pages === 1) return first.reading;
  return (await searchPages(options, key, signal)).reading;
}

async function searchPages(
  options: EventReaderOptions,
  key: CreationKey,
  signal: AbortSignal,
): Promise<{ reading: EventReading; pages: number }> {
  const operation = 'find_event';
  const query = { ...WANTED, $filter: keyFilter(key.transactionId), $top: String(EVENTS_A_PAGE) };
  let to: { path: string } | { link: string } | null = {
    path: withQuery(`${calendarPath(options.calendarId)}/events`, query),
  };
  let pages = 0;
  while (to !== null) {
    const { status, body } = await options.graph.call({ operation, to, signal });
    const page: EventPage | null = readEventPage(body);
    if (page === null) throw unreadableAnswer({ operation }, status);
    pages += 1;
    for (const item of page.items) {
      if ('removedId' in item || !isUnderKey(item, key)) continue;
      const reading = await toReading(options, item, operation, signal);
      if (reading.state === 'live') return { reading, pages };
    }
    to = page.nextLink === null ? null : { link: page.nextLink };
  }
  return { reading: { state: 'gone' }, pages };
}

/** A copy made by the owner may keep the property; the transaction's id stays with the original. Either is ours. */
function isUnderKey(event: GraphEvent, key: CreationKey): boolean {
  return event.transactionId === key.transactionId || readKey(event.properties) === key.transactionId;
}

async function toReading(
  options: Pick<EventReaderOptions, 'graph' | 'mailboxZone'>,
  event: ReturnType<typeof readGraphEvent> & object,
  operation: Operation,
  signal: AbortSignal,
): Promise<EventReading> {
  if ('removedId' in event || event.isCancelled === true) return { state: 'gone' };
  const mailboxZone = event.isAllDay === true ? await options.mailboxZone.read(signal) : null;
  const remote = toRemoteEvent(event, mailboxZone, operation);
  return isMaster(event)
    ? readFirst(options.graph, remote, (item) => toRemoteEvent(item, mailboxZone, operation), signal)
    : { state: 'live', event: remote };
}

/**
 * Of an event that its owner made a series: the occurrence that the series begins with, of which the master shows the
 * times. Where Graph does not list the series the event is left as it is.
 */
async function readFirst(
  graph: Graph,
  series: RemoteEvent,
  read: (item: GraphEvent) => RemoteEvent,
  signal: AbortSignal,
): Promise<EventReading> {
  const seriesId = series.eventId;
  const listed = await readSeries(graph, seriesId, series, signal);
  if (listed.state === 'gone') return { state: 'gone' };
  if (listed.state === 'unlisted') return { state: 'live', event: { ...series, seriesId } };
  const first = listed.items.map(read).find(({ startAt }) => startAt.getTime() === series.startAt.getTime());
  if (first === undefined) return { state: 'gone' };
  // A list brings no properties; an occurrence has those of its series.
  const { marker, creationKey } = series;
  return { state: 'live', event: { ...first, seriesId, marker, creationKey } };
}

function toRemoteEvent(event: GraphEvent, mailboxZone: string | null, operation: Operation): RemoteEvent {
  const mapped = mapEvent(event, { master: null, mailboxZone });
  if (!('kind' in mapped)) {
    // Its owner may mend it, so it is read again, less and less often.
    throw ownError({ kind: 'transient', operation, reason: mapped.reason, status: 200 });
  }
  const { eventId, seriesId, etag, startAt, endAt, marker, creationKey } = mapped;
  return { eventId, seriesId, etag, startAt, endAt, marker, creationKey };
}
