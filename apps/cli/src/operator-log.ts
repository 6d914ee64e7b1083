import { writeOperatorLog } from '@bookiji/db';
import type { CommandContext } from './context.ts';
import { nameFailure } from './doctor/finding.ts';

export interface LoggedAction {
  readonly action: string;
  readonly subject: string;
  readonly details: Record<string, unknown>;
}

/**
 * Writes down what was done outside a transaction of ours. It is done already, so a log that is not there (its table goes
 * down with the migrations) or cannot be written is news and no failure.
 */
export async function logAfterwards(
  { actor, output, withDatabase }: CommandContext,
  entry: LoggedAction,
): Promise<void> {
  try {
    await withDatabase(async ({ db, sql }) => {
      const [log] = await sql`SELECT to_regclass('audit_log') IS NOT NULL AS exists`;
      if (log?.exists === true) await writeOperatorLog(db, { actor, ...entry });
    });
  } catch (error) {
    output.note(`done, but not written to the operator log (${nameFailure(error)})`);
  }
}
