/** Work that is given up, with everything needed to understand and replay it. */
import { and, desc, eq, isNull, lt, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { type DeadLetter, deadLetters } from '../schema/index.ts';
import { pruneRows } from './prune-rows.ts';

/** Forgets letters that were replayed; an open one stays whatever its age. */
export function pruneDeadLetters(db: Database, seconds: number): Promise<number> {
  return pruneRows(db, deadLetters, lt(deadLetters.replayedAt, sql`now() - ${seconds} * interval '1 second'`));
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
