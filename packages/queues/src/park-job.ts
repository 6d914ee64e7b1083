import { DelayedError, type Job } from 'bullmq';

/** Hands a job back untouched until the given time, without spending an attempt. Always throws. */
export async function parkJob(job: Job, token: string | undefined, until: Date): Promise<never> {
  await job.moveToDelayed(until.getTime(), token);
  throw new DelayedError();
}

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/**
 * How long a job waits that failed and may not be given up: anything up to a ceiling that doubles from half a second to
 * half a minute. Pure.
 *
 * @param startedCount how often it was started, this time included.
 * @param random in [0, 1).
 * @returns milliseconds, at least 100.
 */
export function postponeMs(startedCount: number, random: number): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(startedCount, 10));
  return 100 + Math.round(random * ceiling);
}
