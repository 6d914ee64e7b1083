import { type Database, findConnection } from '@bookiji/db';
import { type FlagBoard, findObstacle, switchName } from '@bookiji/flags';
import type { CalendarOpener } from '@bookiji/fleet';
import type { Logger } from '@bookiji/observability';
import { QUEUE_NAMES } from '@bookiji/queues';
import { auditConnection } from '@bookiji/sync';

/** A sync and the reads it leads to are through by then. */
const SETTLE_SECONDS = 60;

export interface AuditJobDeps {
  readonly db: Database;
  readonly flags: FlagBoard;
  readonly openCalendar: CalendarOpener;
  readonly logger: Logger;
  readonly auditIntervalSeconds: number;
}

/** One calendar held against the database; the log names every mismatch by what it is about. */
export async function processAudit(deps: AuditJobDeps, connectionId: string, signal: AbortSignal): Promise<string> {
  const { db, logger, openCalendar } = deps;
  const subject = await findConnection(db, connectionId);
  if (subject === null) return 'nothing_due';
  if (findObstacle(deps.flags, { ...subject, connectionId }) !== null) return 'parked';
  const startedAt = performance.now();
  const result = await auditConnection(
    {
      db,
      openCalendar,
      mayWrite: () => mayWrite(deps.flags),
      intervalSeconds: deps.auditIntervalSeconds,
      settleSeconds: SETTLE_SECONDS,
    },
    connectionId,
    signal,
  );
  const base = {
    connection_id: connectionId,
    calendar_provider: subject.calendarProvider,
    outcome: result.outcome,
    duration_ms: Math.round(performance.now() - startedAt),
  };
  if (result.outcome === 'failed') logger.warn({ ...base, err: result.error }, 'calendar could not be audited');
  if (result.outcome !== 'audited') return result.outcome;
  const { suspects, mismatches } = result;
  if (mismatches.length > 0)
    logger.error({ ...base, mismatches }, 'calendar and database differ; what is ours is put right');
  else logger.info({ ...base, suspect_count: suspects.length }, 'calendar audited');
  return mismatches.length > 0 ? 'mismatched' : 'audited';
}

/** Shadow mode and the switch of outbound work promise that no calendar is written to, by whomever. */
function mayWrite(flags: FlagBoard): boolean {
  return !flags.isShadowing() && flags.isSwitchOn(switchName('queue', QUEUE_NAMES.outboundSync));
}
