export const HOUR_MS = 3_600_000;

/** The full hour, a day from now: inside everybody's window. */
export function firstHour(nowMs: number): number {
  return Math.ceil(nowMs / HOUR_MS) * HOUR_MS + 24 * HOUR_MS;
}
