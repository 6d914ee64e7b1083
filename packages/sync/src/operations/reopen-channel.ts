/** Has a connection's channel extended or replaced at once, as if it were about to end. */
import { type Database, endChannels, findConnection, writeOperatorLog } from '@bookiji/db';
import { type Bells, SILENCE, type Wish } from './bells.ts';

/** Null when there is no such connection. */
export async function reopenChannel(
  db: Database,
  connectionId: string,
  { actor, reason }: Wish,
): Promise<Bells | null> {
  if ((await findConnection(db, connectionId)) === null) return null;
  await db.transaction(async (tx) => {
    await endChannels(tx, connectionId);
    await writeOperatorLog(tx, { actor, reason, action: 'channel_reopened', subject: connectionId });
  });
  return { ...SILENCE, retry: [{ task: 'keep_channel', connection_id: connectionId }] };
}
