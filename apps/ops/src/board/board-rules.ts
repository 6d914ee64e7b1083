/**
 * What Bull Board may do to which queue. Doorbell queues hold nothing but rings, so they may be emptied: the sweep rings
 * again. Two queues carry facts, and what is taken out of them by hand is gone.
 */
import { QUEUE_NAMES } from '@bookiji/queues';

const FACTS: readonly string[] = [QUEUE_NAMES.bookingEvents, QUEUE_NAMES.externalChanges];

export interface BoardChange {
  /** Bull Board's own route, `/api/queues/:queueName/pause`. */
  readonly route: string;
  readonly queue: string | null;
  readonly status?: string | undefined;
}

/** Why this may not be done here, with what to do instead; null when it may. Pure. */
export function refuseChange({ route, queue, status }: BoardChange): string | null {
  const what = route.split('/').at(-1);
  if (what === 'obliterate') return 'Obliterating would forget the pause and the rings’ marks too. Use Empty.';
  if (what === 'update-data') return 'Jobs are not edited: what they stand for is in the database.';
  if (queue === null || !FACTS.includes(queue)) return null;
  if (what === 'add') return 'This queue carries facts. Publish through POST /api/calendar/booking-events of ingress.';
  const isHistory = route.endsWith('/clean/:queueStatus') && status === 'completed';
  if (route.includes('/clean') && !isHistory) return 'This queue carries facts: a job taken out by hand would be lost.';
  if (what === 'empty' && queue === QUEUE_NAMES.externalChanges)
    return 'Each of these is told to the booking service once; emptying the queue would lose them.';
  return null;
}

/** The word for the operator log: `queue_paused`, `queue_emptied`, `job_retry`. */
export function nameChange(route: string): string {
  const words = route.split('/').filter((part) => part !== '' && !part.startsWith(':') && part !== 'api');
  const verb = words.at(-1)?.replaceAll('-', '_') ?? 'change';
  return route.includes(':jobId') ? `job_${verb}` : `queue_${verb}`;
}
