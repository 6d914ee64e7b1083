import { createHash } from 'node:crypto';
import type { CalendarProvider, CreationKey } from '@bookiji/providers/contract';
import { parse, v5 as uuidV5 } from 'uuid';

/** Fixed forever: changing it would write every booking's event a second time. */
const NAMESPACE = parse('6f0f2a54-7d0e-5d0c-9c0b-3b1c5f6b8f11');

/**
 * Under what a booking's event is created, so that the calendar itself refuses the second one.
 *
 * Google takes it as the event's id (32 hex characters are valid base32hex), Graph as `transactionId`. A deleted event
 * keeps its id forever, so each new life of the event has another generation.
 */
export function creationKey(bookingId: string, connectionId: string, generation: number): CreationKey {
  const name = `${bookingId}:${connectionId}:${generation}`;
  // Hashed when asked for: a calendar provider knows only one of them.
  return {
    get googleEventId() {
      return createHash('sha256').update(name).digest('hex').slice(0, 32);
    },
    get transactionId() {
      return uuidV5(name, NAMESPACE);
    },
  };
}

/** The form of the key that the calendar provider repeats, and that is stored to recognise the event by. */
export function storedKey(key: CreationKey, calendarProvider: CalendarProvider): string {
  return calendarProvider === 'google' ? key.googleEventId : key.transactionId;
}

/** The same for every version and generation of a booking's event at one calendar provider. */
export function icalUidOf(bookingId: string, providerId: string, calendarProvider: CalendarProvider): string {
  return `${uuidV5(`${bookingId}:${providerId}:${calendarProvider}`, NAMESPACE)}@bookiji`;
}
