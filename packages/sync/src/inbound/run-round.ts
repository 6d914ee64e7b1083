/** Reading one round from its cursor to its end: each page is folded and stored before the next one takes its place. */
import {
  beginFirstRound,
  clearStagedPages,
  findKnownEffects,
  listUnreadableItems,
  stagePage,
  storeFirstPage,
} from '@bookiji/db';
import type { ChangePage, UnreadableItem } from '@bookiji/providers/contract';
import { creationKey, storedKey } from '../outbound/event-identity.ts';
import { type FoldedPage, foldChanges, type OwnEvent } from './fold-changes.ts';
import type { RoundContext } from './round-context.ts';
import { ownerOf, storeLastPage } from './store-last-page.ts';
import type { Synced } from './sync-outcome.ts';
import { trackDoubts } from './track-doubts.ts';
import { createPageWriter } from './write-ahead.ts';

/** @throws ProviderError; what was stored by then takes no effect. @throws LeaseLostError */
export async function runRound(context: RoundContext): Promise<Synced> {
  const { deps, claim, round, keeper } = context;
  const { connection, token } = claim;
  const owner = ownerOf(connection);
  const isFirstRound = round.mode === 'full' && connection.lastSyncedAt === null;
  if (claim.hasStagedPages) await clearStagedPages(deps.db, connection.id, token);
  if (isFirstRound) await beginFirstRound(deps.db, owner, token);
  const writer = createPageWriter((page) => storeFirstPage(deps.db, owner, token, page));
  const suspects = new Set<string>();
  const isDoubtKnown = claim.hasDoubts && round.mode === 'incremental';
  const doubts = trackDoubts(isDoubtKnown ? await listUnreadableItems(deps.db, connection.id) : []);
  const seen = { bookingIds: new Set<string>(), seriesStarts: new Set<number>() };
  let pages = 0;
  let unreadableCount = 0;
  for await (const page of readPages(context)) {
    keeper.proceed();
    pages += 1;
    unreadableCount += page.unreadable.length;
    const folded = await foldPage(context, page, seen);
    doubts.note({ changes: page.changes, ...folded });
    for (const bookingId of folded.suspectBookingIds) suspects.add(bookingId);
    if (page.cursor === null) {
      await (isFirstRound ? writer.add(folded) : stagePage(deps.db, connection.id, token, folded));
      continue;
    }
    const read = { mode: round.mode, pages, unreadableCount };
    const suspectBookingIds = [...suspects];
    const last = {
      folded,
      cursor: page.cursor,
      isFirstRound,
      early: await writer.end(),
      unreadable: doubts.items(),
      read,
      suspectBookingIds,
      seen,
    };
    const { counts, lookAgain, recordedAt } = await storeLastPage(context, last);
    const changeLagSeconds =
      connection.notifiedAt === null ? null : (recordedAt.getTime() - connection.notifiedAt.getTime()) / 1000;
    return { outcome: 'synced', connection, lookAgain, changeLagSeconds, suspectBookingIds, ...read, ...counts };
  }
  throw new Error('the feed ended without a cursor');
}

/** Pages in order; the next one is asked for while the caller stores the current one. */
async function* readPages({ port, round, keeper }: RoundContext): AsyncGenerator<ChangePage> {
  const { cursor, window } = round;
  const ask = (page: string | null) => port.listChanges({ cursor, page, window }, keeper.signal);
  let pending: Promise<ChangePage> | null = ask(null);
  while (pending !== null) {
    const page: ChangePage = await pending;
    pending = page.nextPage === null ? null : ask(page.nextPage);
    // Asked for ahead: if storing fails first, its own failure must not go unheard.
    pending?.catch(() => undefined);
    yield page;
  }
}

interface ReadPage extends FoldedPage {
  /** What may be busy time of the owner's and cannot be read. */
  readonly unreadable: readonly UnreadableItem[];
  /** Events of bookings that cannot be read. */
  readonly ownIds: readonly string[];
}

/** @param seen takes up what may be the event of a booking of which none is on record. */
async function foldPage(
  { deps, claim, round }: RoundContext,
  page: ChangePage,
  seen: { readonly bookingIds: Set<string>; readonly seriesStarts: Set<number> },
): Promise<ReadPage> {
  const { id: connectionId, calendarProvider } = claim.connection;
  const eventIds = new Set<string>();
  const keys: string[] = [];
  const bookingIds: string[] = [];
  for (const change of page.changes) {
    if (change.kind === 'series_reset') continue;
    eventIds.add(change.eventId);
    if (change.kind === 'tombstone') continue;
    if (change.seriesId !== null) {
      eventIds.add(change.seriesId);
      seen.seriesStarts.add(Math.floor(change.startAt.getTime() / 1000));
      continue;
    }
    if (change.creationKey !== null) keys.push(change.creationKey);
    if (change.marker !== null && change.marker.connectionId === connectionId) bookingIds.push(change.marker.bookingId);
  }
  for (const { eventId } of page.unreadable) if (eventId !== null) eventIds.add(eventId);
  const own = new Map<string, OwnEvent>();
  for (const effect of await findKnownEffects(deps.db, connectionId, [...eventIds], keys, bookingIds)) {
    const currentKey = storedKey(creationKey(effect.bookingId, connectionId, effect.generation), calendarProvider);
    if (effect.externalEventId === null) seen.bookingIds.add(effect.bookingId);
    const names = [effect.externalEventId, effect.creationKey, ...effect.formerKeys, effect.bookingId];
    for (const name of names) if (name !== null) own.set(name, { ...effect, currentKey });
  }
  const folded = foldChanges(
    page.changes,
    round.window,
    ({ eventId, creationKey: key, bookingId }) =>
      own.get(eventId) ?? own.get(key ?? '') ?? own.get(bookingId ?? '') ?? null,
  );
  // A booking's own event that cannot be read is a hint like any other, and no busy time of the owner's.
  const ownIds = page.unreadable.flatMap(({ eventId }) => (eventId !== null && own.has(eventId) ? eventId : []));
  const ownUnread = ownIds.flatMap((id) => own.get(id)?.bookingId ?? []);
  return {
    ...folded,
    suspectBookingIds: [...folded.suspectBookingIds, ...ownUnread],
    unreadable: page.unreadable.filter(({ eventId }) => !own.has(eventId ?? '')),
    ownIds,
  };
}
