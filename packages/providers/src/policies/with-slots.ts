import { ownError, type ProviderError } from '../contract/index.ts';
import type { Policy } from './policy.ts';
import { systemTimers, type Timers } from './timers.ts';

/** Gives out the right to call one mailbox, of which all processes together have few. */
export interface SlotDesk {
  /** Null when all are taken. @returns gives it back; a slot that is never given back ends by itself. */
  take(connectionId: string): Promise<(() => Promise<void>) | null>;
}

export interface SlotSettings {
  readonly connectionId: string;
  /** Longer than this nobody waits. Default 5 s. */
  readonly waitAtMostMs?: number;
  /** In [0, 1). */
  readonly random?: () => number;
  readonly timers?: Timers;
}

const LOOK_AGAIN_MS = 20;
/** Who found no slot comes back after this. */
const RETRY_AFTER_MS = 1_000;

/**
 * Lets a request go out when one of its mailbox's slots is free. Graph takes four calls at a time of one application and
 * mailbox, from whatever process they come. Who waits in vain is `rate_limited`, which spends no attempt.
 */
export function withSlots(desk: SlotDesk, settings: SlotSettings): Policy {
  const { connectionId, waitAtMostMs = 5_000, random = Math.random, timers = systemTimers } = settings;
  return async (call, next) => {
    const waitUntil = timers.now() + waitAtMostMs;
    for (;;) {
      const giveBack = await desk.take(connectionId);
      if (giveBack !== null) {
        try {
          return await next(call.signal);
        } finally {
          await giveBack().catch(() => undefined);
        }
      }
      if (call.signal.aborted) throw turnedAway(call, 'transient', 'aborted');
      if (timers.now() >= waitUntil) throw turnedAway(call, 'rate_limited', 'mailbox_busy');
      await pause(timers, LOOK_AGAIN_MS * (1 + random()), call.signal);
    }
  };
}

function pause(timers: Timers, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      callOff();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const callOff = timers.schedule(ms, done);
    signal.addEventListener('abort', done, { once: true });
  });
}

function turnedAway(
  { calendarProvider, operation }: Parameters<Policy>[0],
  kind: 'transient' | 'rate_limited',
  reason: string,
): ProviderError {
  return ownError({
    kind,
    calendarProvider,
    operation,
    reason,
    retryAfterMs: kind === 'rate_limited' ? RETRY_AFTER_MS : null,
  });
}
