/** What operators switched off and on again, each turn with its entry in the operator log. */
import { eq, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { auditLog, operatorSwitches } from '../schema/index.ts';

/** What operators switched off: name → on. A missing name follows the environment. */
export async function readSwitches(db: Database): Promise<Map<string, boolean>> {
  const rows = await db.select({ name: operatorSwitches.name, isOn: operatorSwitches.isOn }).from(operatorSwitches);
  return new Map(rows.map((row) => [row.name, row.isOn]));
}

export interface SwitchChange {
  readonly name: string;
  readonly isOn: boolean;
  readonly changedBy: string;
  readonly reason: string | null;
}

/** Turns switches and says so in the operator log, all or none. */
export async function turnSwitches(db: Database, changes: readonly SwitchChange[]): Promise<void> {
  await db.transaction(async (tx) => {
    for (const change of [...changes].sort((a, b) => a.name.localeCompare(b.name))) {
      await tx
        .insert(operatorSwitches)
        .values(change)
        .onConflictDoUpdate({
          target: operatorSwitches.name,
          set: { isOn: change.isOn, changedBy: change.changedBy, reason: change.reason, changedAt: sql`now()` },
        });
      await tx.insert(auditLog).values({
        actor: change.changedBy,
        action: change.isOn ? 'switch_on' : 'switch_off',
        subject: change.name,
        details: change.reason === null ? {} : { reason: change.reason },
      });
    }
  });
}

/** Forgets that an operator turned a switch, and says so in the operator log; false when nobody had. */
export async function clearSwitch(
  db: Database,
  clear: { readonly name: string; readonly changedBy: string; readonly reason: string | null },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const cleared = await tx
      .delete(operatorSwitches)
      .where(eq(operatorSwitches.name, clear.name))
      .returning({ name: operatorSwitches.name });
    if (cleared.length === 0) return false;
    await tx.insert(auditLog).values({
      actor: clear.changedBy,
      action: 'switch_cleared',
      subject: clear.name,
      details: clear.reason === null ? {} : { reason: clear.reason },
    });
    return true;
  });
}
