/** The fleet as the database sees it: who is there, and what each process counts. */
import { desc, lt, sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { processes } from '../schema/index.ts';
import { pruneRows } from './prune-rows.ts';

export interface ProcessReport {
  readonly instanceId: string;
  readonly role: string;
  /** prom-client's metrics as JSON. */
  readonly metrics: unknown;
}

export async function reportProcess(db: Database, report: ProcessReport): Promise<void> {
  await db
    .insert(processes)
    .values(report)
    .onConflictDoUpdate({
      target: processes.instanceId,
      set: { metrics: report.metrics, seenAt: sql`now()` },
    });
}

export interface ReportedProcess extends ProcessReport {
  readonly startedAt: Date;
  readonly seenAt: Date;
  /** Seen within the last fifteen seconds. */
  readonly isAlive: boolean;
}

/** Every process that was seen within the retention, newest first. */
export async function listProcesses(db: Database): Promise<ReportedProcess[]> {
  return db
    .select({
      instanceId: processes.instanceId,
      role: processes.role,
      metrics: processes.metrics,
      startedAt: processes.startedAt,
      seenAt: processes.seenAt,
      isAlive: sql<boolean>`${processes.seenAt} > now() - interval '15 seconds'`,
    })
    .from(processes)
    .orderBy(desc(processes.startedAt));
}

export function pruneProcesses(db: Database, seconds: number): Promise<number> {
  return pruneRows(db, processes, lt(processes.seenAt, sql`now() - ${seconds} * interval '1 second'`));
}
