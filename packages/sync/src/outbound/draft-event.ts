import type { EffectClaim } from '@bookiji/db';
import type { EventDraft } from '@bookiji/providers/contract';
import { creationKey, icalUidOf } from './event-identity.ts';

/**
 * The event a live booking should have. Pure.
 *
 * The attendee stands in the description, not among the guests: the marketplace writes to its customers itself, and
 * Graph mails guests whenever there are any.
 */
export function draftEvent(claim: EffectClaim, generation: number): EventDraft {
  const { desired, effect } = claim;
  if (desired.startAt === null || desired.endAt === null || desired.details === null) {
    throw new Error('a live booking has times and details');
  }
  const { title, notes, location, attendee, time_zone: timeZone } = desired.details;
  const person = [attendee?.name, attendee?.email].filter((part) => part !== undefined && part !== '').join(', ');
  const description = [notes, person].filter((part) => part !== undefined && part !== '').join('\n\n');
  return {
    key: creationKey(effect.bookingId, effect.connectionId, generation),
    marker: {
      bookingId: effect.bookingId,
      connectionId: effect.connectionId,
      generation,
      version: desired.version,
    },
    icalUid: icalUidOf(effect.bookingId, claim.providerId, claim.calendarProvider),
    title,
    description: description === '' ? null : description,
    location: location ?? null,
    // What is written must be what is read back.
    startAt: toSecond(desired.startAt),
    endAt: toSecond(desired.endAt),
    timeZone,
  };
}

/** Calendars keep whole seconds. */
export function toSecond<Instant extends Date | null>(instant: Instant): Instant {
  return (instant === null ? null : new Date(Math.floor(instant.getTime() / 1000) * 1000)) as Instant;
}
