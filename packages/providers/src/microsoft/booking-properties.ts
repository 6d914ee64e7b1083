/**
 * What a booking's event carries to be recognised by: two extended properties under one GUID of ours that never changes.
 *
 * They are properties of the item itself, stored with it in one step; an open extension is a second object that has been
 * seen missing after the event was already there, and uses up a name of the mailbox for good. The key stands alone in its
 * own property so that it can be filtered for; see docs/decisions/0012.
 */
import { z } from 'zod';
import type { BookingMarker } from '../contract/index.ts';

const NAMESPACE = '{b4a7c1de-5f0e-4c52-9d0b-7e2f61c8a935}';
export const KEY_PROPERTY = `String ${NAMESPACE} Name BookijiCreationKey`;
export const MARKER_PROPERTY = `String ${NAMESPACE} Name BookijiMarker`;

/** The part of a query that brings the properties along with an event. */
export const EXPAND_PROPERTIES = `singleValueExtendedProperties($filter=id eq '${KEY_PROPERTY}' or id eq '${MARKER_PROPERTY}')`;

/** The query that finds the event of a key. */
export function keyFilter(transactionId: string): string {
  return `singleValueExtendedProperties/Any(ep: ep/id eq '${KEY_PROPERTY}' and ep/value eq '${transactionId.replaceAll("'", "''")}')`;
}

export function writeProperties(transactionId: string, marker: BookingMarker): { id: string; value: string }[] {
  const { bookingId, connectionId, generation, version } = marker;
  return [
    { id: KEY_PROPERTY, value: transactionId },
    { id: MARKER_PROPERTY, value: JSON.stringify({ bookingId, connectionId, generation, version }) },
  ];
}

const markerShape = z.object({
  bookingId: z.string(),
  connectionId: z.string(),
  generation: z.int().min(0),
  version: z.int().min(0),
});

/** @param properties by id in lower case: Graph gives the GUID back in a case of its own. */
export function readMarker(properties: ReadonlyMap<string, string>): BookingMarker | null {
  const value = properties.get(MARKER_PROPERTY.toLowerCase());
  if (value === undefined) return null;
  try {
    return markerShape.safeParse(JSON.parse(value)).data ?? null;
  } catch {
    return null;
  }
}

export function readKey(properties: ReadonlyMap<string, string>): string | null {
  return properties.get(KEY_PROPERTY.toLowerCase()) ?? null;
}
