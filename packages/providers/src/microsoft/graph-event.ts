/**
 * The little that is kept of an event as Graph sends it. The feed cannot be asked for less, so subjects, bodies, places
 * and guests arrive with every page; they end here, since no field below can hold them.
 */
import { z } from 'zod';
import type { GraphTime } from './time-zone.ts';

export interface GraphEvent {
  readonly id: string;
  readonly etag: string | null;
  /** `singleInstance`, `occurrence`, `exception`, `seriesMaster`; null where the answer leaves it out. */
  readonly type: string | null;
  readonly seriesMasterId: string | null;
  readonly start: GraphTime | null;
  readonly end: GraphTime | null;
  /** Null on an occurrence, here and in what follows, means: as its master has it. */
  readonly isAllDay: boolean | null;
  readonly isCancelled: boolean | null;
  readonly showAs: string | null;
  /** The owner's answer to the invitation. */
  readonly response: string | null;
  readonly originalZone: string | null;
  readonly icalUid: string | null;
  readonly transactionId: string | null;
  /** Our extended properties by id; empty where they were not asked for. */
  readonly properties: ReadonlyMap<string, string>;
}

export interface GraphRemoval {
  readonly removedId: string;
}

/** The fields of `GraphEvent`, for calls that can be asked for less. */
export const EVENT_FIELDS =
  'id,type,seriesMasterId,start,end,isAllDay,isCancelled,showAs,responseStatus,originalStartTimeZone,iCalUId,transactionId';

// A field of the wrong type is a field that was not sent: the event stays busy, and the others are read.
const text = z.string().min(1).nullable().catch(null);
const flag = z.boolean().nullable().catch(null);
const time = z
  .object({ dateTime: z.string(), timeZone: text.default(null) })
  .nullable()
  .catch(null);

const eventShape = z.object({
  id: z.string().min(1),
  '@removed': z.unknown().optional(),
  '@odata.etag': text,
  type: text,
  seriesMasterId: text,
  start: time,
  end: time,
  isAllDay: flag,
  isCancelled: flag,
  showAs: text,
  responseStatus: z.object({ response: text }).nullable().catch(null),
  originalStartTimeZone: text,
  iCalUId: text,
  transactionId: text,
  singleValueExtendedProperties: z.array(z.object({ id: z.string(), value: z.string() })).catch([]),
});

/** Reads one item of a list or one event; null when it does not even have an id. Pure. */
export function readGraphEvent(item: unknown): GraphEvent | GraphRemoval | null {
  const parsed = eventShape.safeParse(item);
  if (!parsed.success) return null;
  const raw = parsed.data;
  if (raw['@removed'] !== undefined && raw['@removed'] !== null) return { removedId: raw.id };
  return {
    id: raw.id,
    etag: raw['@odata.etag'],
    type: raw.type,
    seriesMasterId: raw.seriesMasterId,
    start: raw.start,
    end: raw.end,
    isAllDay: raw.isAllDay,
    isCancelled: raw.isCancelled,
    showAs: raw.showAs,
    response: raw.responseStatus?.response ?? null,
    originalZone: raw.originalStartTimeZone,
    icalUid: raw.iCalUId,
    transactionId: raw.transactionId,
    properties: new Map(raw.singleValueExtendedProperties.map(({ id, value }) => [id.toLowerCase(), value])),
  };
}
