/**
 * The cursor of Google's feed: the sync token, and what it was made with.
 *
 * A sync token only means something together with the very parameters of the list that it came from; with others
 * Google's behaviour is undefined. So the cursor names the version of those parameters and the calendar, and one that
 * does not fit is refused, which costs one full round.
 * https://developers.google.com/workspace/calendar/api/guides/sync
 */
import { createHash } from 'node:crypto';

/** Grows with every change of the parameters in list-changes.ts. */
const PARAMETERS_VERSION = 1;

export type CursorReading =
  | { readonly syncToken: string }
  /** `no_sync_token`: the last round ended without one, as has been reported; the next one starts afresh. */
  | { readonly problem: 'no_sync_token' | 'foreign_cursor' };

/** @param syncToken null when the last page of the round had none. */
export function writeCursor(calendarId: string, syncToken: string | null): string {
  return `g${PARAMETERS_VERSION}.${nameOf(calendarId)}.${syncToken ?? ''}`;
}

export function readCursor(calendarId: string, cursor: string): CursorReading {
  const prefix = writeCursor(calendarId, null);
  if (!cursor.startsWith(prefix)) return { problem: 'foreign_cursor' };
  const syncToken = cursor.slice(prefix.length);
  return syncToken === '' ? { problem: 'no_sync_token' } : { syncToken };
}

/** Short, and without the address that a calendar's id often is. */
function nameOf(calendarId: string): string {
  return createHash('sha256').update(calendarId).digest('hex').slice(0, 8);
}
