/** The hours that the demo plays in. */
import type { Slot } from '@bookiji/local-fleet';

export const HOUR_MS = 3_600_000;

export function nextMorning(): Date {
  const day = new Date(Date.now() + 24 * HOUR_MS);
  return new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate(), 9));
}

export function slotAt(morning: Date, hour: number): Slot {
  const start = new Date(morning.getTime() + hour * HOUR_MS);
  return { start: start.toISOString(), end: new Date(start.getTime() + HOUR_MS).toISOString() };
}

export function showSlots(slots: readonly Slot[]): string {
  return slots.map(({ start, end }) => `${start.slice(11, 16)}–${end.slice(11, 16)}`).join('  ');
}
