/** Runs, dead letters, switches, sweeps: what operators see and turn. */
import { and, desc, eq, isNull, lt, lte, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { auditLog, type DeadLetter, deadLetters, operatorSwitches, sweeps, syncRuns } from '../schema/index.ts';

export async function insertSyncRun(db: Database, run: typeof syncRuns.$inferInsert): Promise<void> {
  await db.insert(syncRuns).values(run);
}

export async function pruneSyncRuns(db: Database, seconds: number): Promise<void> {
  await db.delete(syncRuns).where(lt(syncRuns.finishedAt, sql`now() - ${seconds} * interval '1 second'`));
}

/** Forgets letters that were replayed; an open one stays whatever its age. */
export async function pruneDeadLetters(db: Database, seconds: number): Promise<void> {
  await db.delete(deadLetters).where(lt(deadLetters.replayedAt, sql`now() - ${seconds} * interval '1 second'`));
}

/**
 * Opens a dead letter, or renews the open one about the same subject; returns its id. A payload that PostgreSQL cannot
 * hold as it is (NUL, half a surrogate pair) is kept with those characters replaced: poison must not poison this too.
 */
export async function writeDeadLetter(
  db: Database,
  given: { kind: DeadLetter['kind']; reason: string; subject: string; payload: unknown },
): Promise<string> {
  const letter = {
    kind: given.kind,
    reason: toStorable(given.reason),
    subject: toStorable(given.subject),
    // Spelled out, since a payload that is JSON's null would become SQL's.
    payload: sql`${JSON.stringify(given.payload ?? null, toStorableMember)}::text::jsonb`,
  };
  const [row] = await db
    .insert(deadLetters)
    .values(letter)
    .onConflictDoUpdate({
      target: [deadLetters.kind, deadLetters.subject],
      targetWhere: isNull(deadLetters.replayedAt),
      set: { reason: letter.reason, payload: letter.payload },
    })
    .returning({ id: deadLetters.id });
  if (row === undefined) throw new Error('a dead letter was neither inserted nor found');
  return row.id;
}

function toStorable(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\ufffd');
}

function toStorableMember(_name: string, value: unknown): unknown {
  if (typeof value === 'string') return toStorable(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [toStorable(name), member]));
}

export async function listDeadLetters(db: Database, limit: number): Promise<DeadLetter[]> {
  return db
    .select()
    .from(deadLetters)
    .where(isNull(deadLetters.replayedAt))
    .orderBy(desc(deadLetters.createdAt))
    .limit(limit);
}

export async function findDeadLetter(db: Database, id: string): Promise<DeadLetter | null> {
  const [row] = await db.select().from(deadLetters).where(eq(deadLetters.id, id));
  return row ?? null;
}

/** Marks a letter as replayed; false when somebody else did so first. */
export async function closeDeadLetter(db: Database, id: string): Promise<boolean> {
  const closed = await db
    .update(deadLetters)
    .set({ replayedAt: sql`now()` })
    .where(and(eq(deadLetters.id, id), isNull(deadLetters.replayedAt)))
    .returning({ id: deadLetters.id });
  return closed.length > 0;
}

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

/** Turns switches and says so in the audit log, all or none. */
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

/** Forgets that an operator turned a switch, and says so in the audit log; false when nobody had. */
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

export async function writeAudit(
  db: Database,
  entry: { actor: string; action: string; subject: string; details?: Record<string, unknown> },
): Promise<void> {
  await db.insert(auditLog).values(entry);
}

/**
 * Takes one turn of a sweep: true for exactly one caller per interval over the whole fleet, by the database's clock.
 * A holder that dies loses only its turn.
 */
export async function takeSweepTurn(
  db: Database,
  sweep: { name: string; owner: string; intervalMs: number },
): Promise<boolean> {
  await db.insert(sweeps).values({ name: sweep.name }).onConflictDoNothing();
  const taken = await db
    .update(sweeps)
    .set({
      nextAt: sql`now() + ${sweep.intervalMs} * interval '1 millisecond'`,
      lastAt: sql`now()`,
      lastOwner: sweep.owner,
    })
    .where(and(eq(sweeps.name, sweep.name), lte(sweeps.nextAt, sql`now()`)))
    .returning({ name: sweeps.name });
  return taken.length > 0;
}
