/**
 * What would be written for a booking, without a lease and without a call: shadow mode. The work stays due, so it is
 * done once the shadow is lifted.
 */
import { type Database, readDueEffect } from '@bookiji/db';
import type { BookingTarget } from './converge-booking.ts';
import { knownFrom } from './converge-event.ts';
import { planWrite, type WritePlan } from './plan-write.ts';

export type ForeseenWrite =
  | {
      readonly outcome: 'shadowed';
      /** The first call that would be made; `inspect` where only a read is asked for. */
      readonly action: WritePlan['action'] | 'inspect';
      readonly calendarProvider: 'google' | 'microsoft';
      readonly version: number;
    }
  | { readonly outcome: 'nothing_due' };

export async function foreseeWrite(db: Database, target: BookingTarget): Promise<ForeseenWrite> {
  const due = await readDueEffect(db, target);
  if (due === null) return { outcome: 'nothing_due' };
  const { calendarProvider, desired, effect } = due;
  const isWrite = effect.appliedVersion < desired.version;
  const action = isWrite ? planWrite(desired, knownFrom(due)).action : 'inspect';
  return { outcome: 'shadowed', action, calendarProvider, version: desired.version };
}
