import { DelayedError, type Job } from 'bullmq';

/** Hands a job back untouched until the given time, without spending an attempt. Always throws. */
export async function parkJob(job: Job, token: string | undefined, until: Date): Promise<never> {
  await job.moveToDelayed(until.getTime(), token);
  throw new DelayedError();
}
