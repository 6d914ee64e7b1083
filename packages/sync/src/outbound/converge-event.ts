/**
 * Makes the calendar show one version of one booking: plan, call, look at the answer, plan again. No transaction is
 * open here; the only thing stored on the way is the key of an event about to be created.
 */
import type { EffectClaim } from '@bookiji/db';
import {
  type CalendarPort,
  type EventReading,
  ownError,
  ProviderError,
  type RemoteEvent,
} from '@bookiji/providers/contract';
import { draftEvent } from './draft-event.ts';
import { creationKey } from './event-identity.ts';
import { type KnownEvent, planWrite } from './plan-write.ts';

/** A plan that has not settled by then meets a calendar that changes under it; the next attempt starts afresh. */
const STEPS_AT_MOST = 10;

export interface ConvergedEvent {
  readonly action: 'created' | 'updated' | 'deleted' | 'adopted' | 'none';
  readonly generation: number;
  /** Null when there is no event any more, or never was. */
  readonly eventId: string | null;
  /** The event that was deleted; else null. */
  readonly deletedEventId: string | null;
  readonly etag: string | null;
}

export type ConvergeResult = ConvergedEvent | { readonly action: 'superseded' };

export interface ConvergeCalls {
  readonly port: CalendarPort;
  /** Stores generation and key under the lease, before the create that uses them. Throws `LeaseLostError`. */
  readonly noteCreation: (generation: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Brings the event to `claim.desired`, from what the effect's row says of it.
 *
 * @returns what the calendar holds now, for the caller to record; `superseded` when it shows a newer version than that,
 *   and was left as it is.
 * @throws ProviderError when a call fails; a `conflict`, and an event that is gone when it is changed or deleted, are
 *   planned for anew instead. `conflict`/`not_converging` when that has no end.
 * @throws LeaseLostError of `noteCreation`.
 */
export async function convergeEvent(claim: EffectClaim, calls: ConvergeCalls): Promise<ConvergeResult> {
  let known = knownFrom(claim);
  let generation = claim.effect.generation;
  for (let step = 0; step < STEPS_AT_MOST; step += 1) {
    const plan = planWrite(claim.desired, known);
    switch (plan.action) {
      case 'superseded':
        return { action: 'superseded' };
      case 'none':
        return { action: 'none', generation, eventId: null, deletedEventId: null, etag: null };
      case 'adopt':
        return done('adopted', generation, plan.event);
      case 'find':
        known = await find(claim, generation, calls);
        break;
      case 'create': {
        if (plan.nextGeneration) generation += 1;
        const answer = await create(claim, generation, calls);
        if ('eventId' in answer) return done('created', generation, answer);
        known = answer;
        break;
      }
      case 'update': {
        const answer = await update(claim, generation, plan, calls);
        if ('eventId' in answer) return done('updated', generation, answer);
        known = answer;
        break;
      }
      case 'delete': {
        const answer = await remove(plan, calls);
        // The deleted event keeps its id, so a booking that lives again needs the next generation.
        if (answer === null) {
          return {
            action: 'deleted',
            generation: generation + 1,
            eventId: null,
            deletedEventId: plan.eventId,
            etag: null,
          };
        }
        known = answer;
      }
    }
  }
  throw ownError({
    kind: 'conflict',
    calendarProvider: claim.calendarProvider,
    operation: 'update_event',
    reason: 'not_converging',
    outcomeUnknown: true,
  });
}

/** What the effect's row says of the event, before any call. */
export function knownFrom(claim: Pick<EffectClaim, 'effect' | 'calendarProvider'>): KnownEvent {
  const { effect } = claim;
  if (effect.externalEventId !== null) return { state: 'written', eventId: effect.externalEventId, etag: effect.etag };
  if (effect.creationKey === null || effect.adopted === 'absent') return { state: 'never_written' };
  // A key was noted: whether its create was sent, answered or lost can only be read.
  return effect.creationKey === currentKey(claim) ? { state: 'unclear' } : { state: 'never_written' };
}

function currentKey(claim: Pick<EffectClaim, 'effect' | 'calendarProvider'>): string {
  const key = creationKey(claim.effect.bookingId, claim.effect.connectionId, claim.effect.generation);
  return claim.calendarProvider === 'google' ? key.googleEventId : key.transactionId;
}

function done(
  action: 'created' | 'updated' | 'adopted',
  generation: number,
  event: { eventId: string; etag: string | null },
): ConvergedEvent {
  return { action, generation, eventId: event.eventId, deletedEventId: null, etag: event.etag };
}

async function find(claim: EffectClaim, generation: number, calls: ConvergeCalls): Promise<KnownEvent> {
  const key = creationKey(claim.effect.bookingId, claim.effect.connectionId, generation);
  return fromReading(await calls.port.findEvent(key, calls.signal), { state: 'absent' });
}

function fromReading(reading: EventReading, gone: KnownEvent): KnownEvent {
  return reading.state === 'live' ? { state: 'read', event: reading.event } : gone;
}

/** The written event, or what is known after the key was found taken. */
async function create(claim: EffectClaim, generation: number, calls: ConvergeCalls) {
  await calls.noteCreation(generation);
  try {
    return await calls.port.createEvent(draftEvent(claim, generation), calls.signal);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error;
    const key = creationKey(claim.effect.bookingId, claim.effect.connectionId, generation);
    const taken = fromReading(await calls.port.findEvent(key, calls.signal), { state: 'key_burnt' });
    // A key is a hash of ids; an event under it that is not ours is not touched.
    if (taken.state === 'read' && !isOurs(taken.event, claim)) return { state: 'key_burnt' } as const;
    return taken;
  }
}

function isOurs(event: RemoteEvent, claim: EffectClaim): boolean {
  return event.marker === null || event.marker.bookingId === claim.effect.bookingId;
}

async function update(
  claim: EffectClaim,
  generation: number,
  target: { eventId: string; etag: string | null },
  calls: ConvergeCalls,
) {
  try {
    return await calls.port.updateEvent(target, draftEvent(claim, generation), calls.signal);
  } catch (error) {
    if (isKind(error, 'not_found')) return { state: 'key_burnt' } as const;
    if (!isKind(error, 'conflict')) throw error;
    return fromReading(await calls.port.getEvent(target.eventId, calls.signal), { state: 'key_burnt' });
  }
}

/** Null once it is gone, else what is known after it turned out to have changed. */
async function remove(
  target: { eventId: string; etag: string | null },
  calls: ConvergeCalls,
): Promise<KnownEvent | null> {
  try {
    await calls.port.deleteEvent(target, calls.signal);
    return null;
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error;
    const reading = await calls.port.getEvent(target.eventId, calls.signal);
    return reading.state === 'gone' ? null : { state: 'read', event: reading.event };
  }
}

function isKind(error: unknown, kind: ProviderError['kind']): error is ProviderError {
  return error instanceof ProviderError && error.kind === kind;
}
