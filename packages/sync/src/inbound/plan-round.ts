import type { SyncWindow } from '@bookiji/providers/contract';

const DAY_MS = 86_400_000;

export interface WindowSettings {
  /** `SYNC_WINDOW_PAST_DAYS`; less where the calendar provider does not read that much. */
  readonly pastDays: number;
  /** `SYNC_WINDOW_FUTURE_DAYS`: the promise. The window in sync never ends sooner than this. */
  readonly futureDays: number;
  /** What the calendar provider reads at once: a longer window begins later than was asked for. Default: no limit. */
  readonly daysAtMost?: number | null;
  /** How long it may be until the next look; a window is rolled so long before it would break the promise. Default 0. */
  readonly untilNextLookSeconds?: number;
}

export interface Round {
  readonly mode: 'incremental' | 'full';
  readonly cursor: string | null;
  readonly window: SyncWindow;
}

/**
 * Decides how the next round reads. Pure.
 *
 * Both calendar providers freeze the window inside the cursor (Google's increments even ignore it), so a window only
 * rolls by starting afresh. Each full round therefore reads a little beyond the promise, and is repeated before that
 * reserve is used up.
 */
export function planRound(
  held: { readonly cursor: string | null; readonly windowStart: Date | null; readonly windowEnd: Date | null },
  settings: WindowSettings,
  now: Date,
): Round {
  const promised = new Date(now.getTime() + settings.futureDays * DAY_MS + untilNextLookMs(settings));
  const reachesBack =
    held.windowStart !== null && held.windowStart <= new Date(now.getTime() - readablePastDays(settings) * DAY_MS);
  if (
    held.cursor !== null &&
    held.windowEnd !== null &&
    held.windowStart !== null &&
    reachesBack &&
    held.windowEnd >= promised
  ) {
    return { mode: 'incremental', cursor: held.cursor, window: { startAt: held.windowStart, endAt: held.windowEnd } };
  }
  return { mode: 'full', cursor: null, window: freshWindow(settings, now) };
}

/** At most half of the smallest reserve, so that a fresh window is good for some time whatever the settings. */
function untilNextLookMs({ untilNextLookSeconds = 0 }: WindowSettings): number {
  return Math.min(untilNextLookSeconds * 1000, DAY_MS / 2);
}

/** From the start of the promise to its end and the reserve; whole seconds, as the providers take them. */
export function freshWindow(settings: WindowSettings, now: Date): SyncWindow {
  const second = Math.floor(now.getTime() / 1000) * 1000;
  return {
    startAt: new Date(second - readablePastDays(settings) * DAY_MS),
    endAt: new Date(second + (settings.futureDays + reserveDaysOf(settings)) * DAY_MS),
  };
}

function reserveDaysOf({ futureDays }: WindowSettings): number {
  return Math.min(7, Math.max(1, Math.ceil(futureDays / 30)));
}

/** The future is what bookings are taken for, so it is the past that gives way to a limit. */
function readablePastDays(settings: WindowSettings): number {
  const { pastDays, futureDays, daysAtMost = null } = settings;
  if (daysAtMost === null) return pastDays;
  return Math.max(0, Math.min(pastDays, daysAtMost - futureDays - reserveDaysOf(settings)));
}
