/** Disconnecting as an operator: the wish is stored, and a retry worker, which holds the keys, carries it out. */
import { type Database, requestDisconnect, writeOperatorLog } from '@bookiji/db';
import { type Bells, SILENCE, type Wish } from './bells.ts';

/** Null when there is no such connection. */
export async function disconnect(db: Database, connectionId: string, { actor, reason }: Wish): Promise<Bells | null> {
  return db.transaction(async (tx) => {
    if (!(await requestDisconnect(tx, connectionId))) return null;
    await writeOperatorLog(tx, { actor, reason, action: 'disconnect_requested', subject: connectionId });
    return { ...SILENCE, retry: [{ task: 'disconnect', connection_id: connectionId }] };
  });
}
