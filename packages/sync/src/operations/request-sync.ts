/** "Sync now", wherever it is pressed: the calendars are looked at, and bookings that waited after errors are tried again. */
import { type Database, hastenBookings, requestSync, writeOperatorLog } from '@bookiji/db';
import { type Bells, SILENCE, type Wish } from './bells.ts';

/** @returns what to ring; `inbound` names the connections that exist. */
export async function requestSyncs(
  db: Database,
  connectionIds: readonly string[],
  { actor, reason }: Wish,
): Promise<Bells> {
  const inbound = await db.transaction(async (tx) => {
    const asked = await requestSync(tx, connectionIds, 'manual');
    for (const id of asked) await writeOperatorLog(tx, { actor, reason, action: 'sync_requested', subject: id });
    return asked;
  });
  // Apart from the above: a worker that writes a booking holds its row, and then wants the connection's.
  const outbound: Bells['outbound'][number][] = [];
  for (const id of inbound) {
    const bookingIds = await hastenBookings(db, id);
    outbound.push(...bookingIds.map((bookingId) => ({ booking_id: bookingId, connection_id: id })));
  }
  return { ...SILENCE, inbound, outbound };
}
