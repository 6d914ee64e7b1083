/** Whose turn it is to sweep: one process at a time over the whole fleet. */
import { and, eq, lte, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { sweeps } from '../schema/index.ts';

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
