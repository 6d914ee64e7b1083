import { ringAll } from '@bookiji/queues';
import type { Bells } from '@bookiji/sync';
import type { CommandContext } from './context.ts';

/** A person waits; the sweep would take as long. */
const ANSWER_WITHIN_MS = 10_000;

/** False when the queue is away: the wish is stored in the database, and a sweep finds it. */
export async function ring({ output, withQueues }: CommandContext, bells: Bells): Promise<boolean> {
  try {
    await withQueues(async (queues) => {
      await queues.ping(ANSWER_WITHIN_MS);
      await ringAll(queues, bells);
    });
    return true;
  } catch {
    output.note('the queue does not answer; the sweep finds the work');
    return false;
  }
}
