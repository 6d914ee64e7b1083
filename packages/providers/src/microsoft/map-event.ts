import type { EventChange, UnreadableItem } from '../contract/index.ts';
import { readMarker } from './booking-properties.ts';
import type { GraphEvent } from './graph-event.ts';
import { readSpan } from './time-zone.ts';

/** What an occurrence takes from its master, since the feed sends occurrences without it. */
export type MasterFacts = Pick<GraphEvent, 'isAllDay' | 'isCancelled' | 'showAs' | 'response' | 'originalZone'>;

export interface MappingContext {
  /** Null when the event is no member of a series, or its master is not known: then doubt is busy. */
  readonly master: MasterFacts | null;
  /** Any spelling; null when the mailbox would not say. */
  readonly mailboxZone: string | null;
}

/**
 * One event of Graph's in the product's words. Pure. The caller keeps series masters away: they carry the dates of the
 * first occurrence, and are no busy time themselves.
 */
export function mapEvent(event: GraphEvent, { master, mailboxZone }: MappingContext): EventChange | UnreadableItem {
  const unreadable = (reason: string): UnreadableItem => ({
    eventId: event.id,
    seriesId: event.seriesMasterId,
    reason,
  });
  if (event.start === null) return unreadable('no_start');
  if (event.end === null) return unreadable('no_end');
  const facts = completeFrom(event, master);
  const span = readSpan({
    start: event.start,
    end: event.end,
    isAllDay: facts.isAllDay === true,
    originalZone: facts.originalZone,
    mailboxZone,
  });
  if ('reason' in span) return unreadable(span.reason);
  return {
    kind: 'event',
    eventId: event.id,
    seriesId: event.seriesMasterId,
    // The feed leaves an occurrence's out and a read of the series does not: the same occurrence must look the same.
    icalUid: event.type === 'occurrence' ? null : event.icalUid,
    ...span,
    blocks: isBlocking(facts) && span.startAt < span.endAt,
    etag: event.etag,
    marker: readMarker(event.properties),
    creationKey: event.transactionId,
  };
}

/** What leaves its owner free is no doubt, whenever it may be; a booking's own event is asked for by its id. */
export function isHarmless(event: GraphEvent, { master }: Pick<MappingContext, 'master'>): boolean {
  return !isBlocking(completeFrom(event, master)) && readMarker(event.properties) === null;
}

function completeFrom(event: GraphEvent, master: MasterFacts | null): MasterFacts {
  return {
    isAllDay: event.isAllDay ?? master?.isAllDay ?? null,
    isCancelled: event.isCancelled ?? master?.isCancelled ?? null,
    showAs: event.showAs ?? master?.showAs ?? null,
    response: event.response ?? master?.response ?? null,
    originalZone: event.originalZone ?? master?.originalZone ?? null,
  };
}

/**
 * Whether the owner is not free then. Only what surely leaves the time free does: `free`, `workingElsewhere` (at work,
 * only elsewhere), cancelled, declined. Tentative, unknown, left out or a value of tomorrow's is busy.
 */
function isBlocking(facts: MasterFacts): boolean {
  if (facts.isCancelled === true || facts.response === 'declined') return false;
  return facts.showAs !== 'free' && facts.showAs !== 'workingElsewhere';
}

export function isMaster(event: GraphEvent): boolean {
  return event.type === 'seriesMaster';
}
