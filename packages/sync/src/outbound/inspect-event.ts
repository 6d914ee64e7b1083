/**
 * Reads a booking's event because the feed hinted that its owner touched it, and says what the read proves. Also
 * removes strays: events of earlier generations that a late writer left behind.
 */
import type { EffectClaim } from '@bookiji/db';
import type { CalendarPort, RemoteEvent } from '@bookiji/providers/contract';
import { isSameTime } from '../same-time.ts';
import { creationKey, storedKey } from './event-identity.ts';
import { isWholeSeries } from './plan-write.ts';

export type Inspection =
  /** As last known. */
  | { readonly finding: 'unchanged'; readonly event: RemoteEvent }
  | { readonly finding: 'moved'; readonly event: RemoteEvent }
  | { readonly finding: 'deleted' }
  /** Its owner had deleted it, and took it out of the bin again. */
  | { readonly finding: 'restored'; readonly event: RemoteEvent; readonly generation: number }
  /** Its owner made it a series, and nothing shows which occurrence is the booking's: that proves neither move nor deletion. */
  | { readonly finding: 'unclear' }
  /** There is no event to inspect. */
  | { readonly finding: 'none' };

/** Earlier lives of an event that are looked for: as many as `former_keys` keeps. */
const GENERATIONS_LOOKED_AT = 6;

export async function inspectEvent(claim: EffectClaim, port: CalendarPort, signal: AbortSignal): Promise<Inspection> {
  const restored = await findRestored(claim, port, signal);
  const keptId = restored?.eventId ?? claim.effect.externalEventId;
  await removeStrays(claim, keptId, port, signal);
  if (restored !== null) return { finding: 'restored', event: restored, generation: claim.effect.generation - 1 };
  const { externalEventId, writtenStart, writtenEnd } = claim.effect;
  if (externalEventId === null) return { finding: 'none' };
  const event = await readRecorded(claim, externalEventId, port, signal);
  if (event === null) return { finding: 'deleted' };
  if (isWholeSeries(event)) return { finding: 'unclear' };
  const isMoved = !isSameTime(event.startAt, writtenStart) || !isSameTime(event.endAt, writtenEnd);
  return isMoved ? { finding: 'moved', event } : { finding: 'unchanged', event };
}

/**
 * The event on record, or what became of it. An occurrence of a series has another id once its owner moved the whole
 * series, or made it a single event again: then it is found by the key that it was created under.
 */
async function readRecorded(
  claim: EffectClaim,
  eventId: string,
  port: CalendarPort,
  signal: AbortSignal,
): Promise<RemoteEvent | null> {
  const reading = await port.getEvent(eventId, signal);
  if (reading.state === 'live') return reading.event;
  const { bookingId, connectionId, generation, appliedVersion } = claim.effect;
  const key = creationKey(bookingId, connectionId, generation);
  const original = storedKey(key, claim.calendarProvider);
  if (eventId === original) return null;
  const again = await port.findEvent(key, signal);
  if (again.state === 'gone') return null;
  // At Graph the key may also find a copy that its owner made, or what a late writer left.
  const { marker, ...names } = again.event;
  const isIt = [names.eventId, names.seriesId, names.creationKey].includes(original);
  return isIt && marker?.bookingId === bookingId && marker.version === appliedVersion ? again.event : null;
}

/** The last life of a live booking's event, when it was recorded as deleted and is there again at the newest version. */
async function findRestored(claim: EffectClaim, port: CalendarPort, signal: AbortSignal): Promise<RemoteEvent | null> {
  const { bookingId, connectionId, generation, externalEventId, appliedVersion, creationKey: noted } = claim.effect;
  if (claim.desired.state !== 'live' || externalEventId !== null) return null;
  const key = creationKey(bookingId, connectionId, generation - 1);
  if (noted !== storedKey(key, claim.calendarProvider)) return null;
  const reading = await port.findEvent(key, signal);
  const isIt =
    reading.state === 'live' &&
    !isWholeSeries(reading.event) &&
    reading.event.marker?.bookingId === bookingId &&
    reading.event.marker.version === appliedVersion;
  return isIt ? reading.event : null;
}

async function removeStrays(
  claim: EffectClaim,
  keptId: string | null,
  port: CalendarPort,
  signal: AbortSignal,
): Promise<void> {
  const { bookingId, connectionId, generation, creationKey: noted } = claim.effect;
  if (noted === null) return;
  const last = keptId === null && claim.desired.state === 'cancelled' ? generation : generation - 1;
  for (let old = last; old >= 0 && old > last - GENERATIONS_LOOKED_AT; old -= 1) {
    const reading = await port.findEvent(creationKey(bookingId, connectionId, old), signal);
    if (reading.state === 'gone' || reading.event.eventId === keptId) continue;
    // A series was made by the calendar's owner, and is theirs.
    if (reading.event.marker?.bookingId !== bookingId || reading.event.seriesId !== null) continue;
    await port.deleteEvent({ eventId: reading.event.eventId, etag: reading.event.etag }, signal);
  }
}
