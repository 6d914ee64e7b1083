/** Who did what, when and why: the log of operators' actions. */
import type { Database } from '../client.ts';
import { auditLog } from '../schema/index.ts';

export async function writeAudit(
  db: Database,
  entry: { actor: string; action: string; subject: string; details?: Record<string, unknown> },
): Promise<void> {
  await db.insert(auditLog).values(entry);
}
