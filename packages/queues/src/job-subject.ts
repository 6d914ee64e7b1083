import { createHash } from 'node:crypto';

/**
 * What a dead letter about a job of `calendar-booking-events` goes by. The id alone will not do: a queue that has lost its
 * counter gives ids out again, and a letter would take the place of an older one that holds the only copy of its event. The
 * same job, delivered twice, is one letter all the same.
 */
export function subjectOfJob(job: { readonly id?: string | undefined; readonly data: unknown }): string {
  const content = createHash('sha256')
    .update(JSON.stringify(job.data) ?? '')
    .digest('hex');
  return `job:${job.id ?? 'unnamed'}:${content.slice(0, 16)}`;
}
