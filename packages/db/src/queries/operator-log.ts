/** Who did what, when and why. The other audit, of calendars against the database, is no business of this log. */
import type { Database } from '../client.ts';
import { auditLog } from '../schema/index.ts';

export async function writeOperatorLog(
  db: Database,
  entry: {
    readonly actor: string;
    readonly action: string;
    readonly subject: string;
    readonly reason?: string | null;
    readonly details?: Record<string, unknown>;
  },
): Promise<void> {
  const { actor, action, subject, reason = null, details = {} } = entry;
  await db
    .insert(auditLog)
    .values({ actor, action, subject, details: reason === null ? details : { ...details, reason } });
}
