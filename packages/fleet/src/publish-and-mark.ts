import { type Database, type ExternalChange, markChangesPublished } from '@bookiji/db';
import { publishExternalChanges, type QueueSystem } from '@bookiji/queues';

/** Tells the booking service of recorded changes. Marked afterwards: a crash in between repeats them, and loses none. */
export async function publishAndMark(
  { db, queues }: { readonly db: Database; readonly queues: QueueSystem },
  changes: readonly ExternalChange[],
): Promise<void> {
  await publishExternalChanges(queues, changes);
  await markChangesPublished(
    db,
    changes.map(({ changeId }) => changeId),
  );
}
