/**
 * What a booking's event carries to be recognised by: four private extended properties. Private ones belong to this copy
 * of the event, so guests neither see nor change them. Google silently drops keys over 44 characters and cuts values over
 * 1024; ours are far below.
 * https://developers.google.com/workspace/calendar/api/guides/extended-properties
 */
import { type BookingMarker, isRecord } from '../contract/index.ts';

const KEYS = {
  booking: 'bookiji_booking',
  connection: 'bookiji_connection',
  generation: 'bookiji_generation',
  version: 'bookiji_version',
} as const;

export function writeProperties(marker: BookingMarker): Record<string, string> {
  return {
    [KEYS.booking]: marker.bookingId,
    [KEYS.connection]: marker.connectionId,
    [KEYS.generation]: String(marker.generation),
    [KEYS.version]: String(marker.version),
  };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DIGITS = /^\d{1,16}$/;

/**
 * Strict, since anybody with access to the calendar can write such properties, and what passes is looked up by.
 *
 * @param properties `extendedProperties.private` as Google sent it.
 * @returns null when there is no marker, or one that is not ours to the letter.
 */
export function readProperties(properties: unknown): BookingMarker | null {
  if (!isRecord(properties)) return null;
  const bookingId = matched(properties[KEYS.booking], UUID);
  const connectionId = matched(properties[KEYS.connection], UUID);
  const generation = readCount(properties[KEYS.generation]);
  const version = readCount(properties[KEYS.version]);
  if (bookingId === null || connectionId === null || generation === null || version === null) return null;
  return { bookingId, connectionId, generation, version };
}

/** A booking service may count its versions in milliseconds since 1970: whatever a number holds exactly is valid. */
function readCount(value: unknown): number | null {
  const digits = matched(value, DIGITS);
  return digits !== null && Number.isSafeInteger(Number(digits)) ? Number(digits) : null;
}

function matched(value: unknown, form: RegExp): string | null {
  return typeof value === 'string' && form.test(value) ? value : null;
}
