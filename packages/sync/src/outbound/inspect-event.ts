/**
 * Reads a booking's event because the feed hinted that its owner touched it, and says what the read proves. Also
 * removes strays: events of earlier generations that a late writer left behind.
 */
import type { EffectClaim } from '@bookiji/db';
import type { CalendarPort, RemoteEvent } from '@bookiji/providers/contract';
import { creationKey } from './event-identity.ts';

export type Inspection =
  /** As last known. */
  | { readonly finding: 'unchanged'; readonly etag: string | null }
  | { readonly finding: 'moved'; readonly event: RemoteEvent }
  | { readonly finding: 'deleted' }
  /** There is no event to inspect. */
  | { readonly finding: 'none' };

/** Earlier lives of an event are looked through this far back. */
const GENERATIONS_LOOKED_AT = 5;

export async function inspectEvent(claim: EffectClaim, port: CalendarPort, signal: AbortSignal): Promise<Inspection> {
  await removeStrays(claim, port, signal);
  const { externalEventId, writtenStart, writtenEnd } = claim.effect;
  if (externalEventId === null) return { finding: 'none' };
  const reading = await port.getEvent(externalEventId, signal);
  if (reading.state === 'gone') return { finding: 'deleted' };
  const { event } = reading;
  const isMoved =
    writtenStart?.getTime() !== event.startAt.getTime() || writtenEnd?.getTime() !== event.endAt.getTime();
  return isMoved ? { finding: 'moved', event } : { finding: 'unchanged', etag: event.etag };
}

async function removeStrays(claim: EffectClaim, port: CalendarPort, signal: AbortSignal): Promise<void> {
  const { bookingId, connectionId, generation, externalEventId, creationKey: noted } = claim.effect;
  if (noted === null) return;
  const last = externalEventId === null && claim.desired.state === 'cancelled' ? generation : generation - 1;
  for (let old = last; old >= Math.max(0, last - GENERATIONS_LOOKED_AT); old -= 1) {
    const reading = await port.findEvent(creationKey(bookingId, connectionId, old), signal);
    if (reading.state === 'gone' || reading.event.eventId === externalEventId) continue;
    if (reading.event.marker?.bookingId !== bookingId) continue;
    await port.deleteEvent({ eventId: reading.event.eventId, etag: reading.event.etag }, signal);
  }
}
