/** What a read of a booking's event means: what is on record of it from then on, and whether its owner did something to it. */
import {
  type Database,
  type EffectClaim,
  type ExternalChange,
  type ObservedChange,
  recordEffectSuccess,
  recordExternalChange,
  renameMapping,
  withdrawDeletion,
} from '@bookiji/db';
import type { RemoteEvent } from '@bookiji/providers/contract';
import { isSameTime } from '../same-time.ts';
import type { Inspection } from './inspect-event.ts';

export interface RecordedInspection {
  /** A newer version, or another read, is already asked for. */
  readonly workAgain: boolean;
  readonly externalChange: ExternalChange | null;
}

/** Change and record take effect together. Throws `LeaseLostError`. */
export function recordInspection(
  db: Database,
  claim: EffectClaim,
  inspection: Inspection,
): Promise<RecordedInspection> {
  const { effect } = claim;
  const change = describeChange(claim, inspection);
  return db.transaction(async (tx) => {
    const isWithdrawn = inspection.finding === 'restored' && (await withdrawDeletion(tx, effect));
    // Back where it was before anybody heard of it: nothing happened.
    const isNews = change !== null && !(isWithdrawn && isAsBooked(claim, inspection.event));
    const externalChange = isNews ? await recordExternalChange(tx, change) : null;
    const { bookingId, connectionId } = effect;
    const { externalEventId, ...event } = eventAfter(effect, inspection);
    const { workAgain } = await recordEffectSuccess(tx, {
      bookingId,
      connectionId,
      token: claim.token,
      appliedVersion: effect.appliedVersion,
      inspected: effect.inspectRequested,
      deletedEventId: null,
      mapping: null,
      externalEventId,
      ...event,
    });
    if (externalEventId !== null && externalEventId !== effect.externalEventId) {
      await renameMapping(tx, { bookingId, connectionId, externalEventId });
    }
    return { workAgain, externalChange };
  });
}

/** What is on record of the event once it was read. */
function eventAfter(effect: EffectClaim['effect'], inspection: Inspection) {
  const { externalEventId, generation, etag: etagOnRecord, writtenStart, writtenEnd } = effect;
  switch (inspection.finding) {
    // The etag of the series must not go on record: the next write would then reach all of its weeks.
    case 'unclear':
      return { externalEventId, generation, etag: etagOnRecord, writtenStart, writtenEnd };
    case 'none':
      return { externalEventId, generation, etag: null, writtenStart, writtenEnd };
    case 'unchanged': {
      const { eventId, etag } = inspection.event;
      return { externalEventId: eventId, generation, etag, writtenStart, writtenEnd };
    }
    // What its owner deleted is not fought over; the next version is written as a new event.
    case 'deleted':
      return {
        externalEventId: null,
        generation: generation + 1,
        etag: null,
        writtenStart: null,
        writtenEnd: null,
      };
    case 'moved':
      return { generation, ...shownBy(inspection.event) };
    case 'restored':
      return { generation: inspection.generation, ...shownBy(inspection.event) };
  }
}

function shownBy({ eventId, etag, startAt, endAt }: RemoteEvent) {
  return { externalEventId: eventId, etag, writtenStart: startAt, writtenEnd: endAt };
}

function isAsBooked({ desired }: EffectClaim, { startAt, endAt }: RemoteEvent): boolean {
  return isSameTime(startAt, desired.startAt) && isSameTime(endAt, desired.endAt);
}

/** The change to report; null when the owner did nothing that concerns the booking. */
function describeChange(claim: EffectClaim, inspection: Inspection): ObservedChange | null {
  const { effect, desired, providerId } = claim;
  if (desired.state !== 'live') return null;
  const base = {
    bookingId: effect.bookingId,
    connectionId: effect.connectionId,
    providerId,
    bookingVersion: effect.appliedVersion,
    startTime: null,
    endTime: null,
  };
  // An event may be deleted, taken out of the bin and deleted again, and a reconnect counts its lives from zero: only when
  // it was seen tells one time from another. What is seen once is recorded once, together with the record of the event.
  const seenAt = claim.claimedAt.toISOString();
  if (inspection.finding === 'moved' || inspection.finding === 'restored') {
    const { eventId, etag, startAt, endAt } = inspection.event;
    return { ...base, kind: 'moved', startTime: startAt, endTime: endAt, reading: `${eventId}@${etag ?? seenAt}` };
  }
  if (inspection.finding === 'deleted')
    return { ...base, kind: 'deleted', reading: `gone:${effect.generation}@${seenAt}` };
  return null;
}
