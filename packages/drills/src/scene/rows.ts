/** What the fleet's own database says; our own fleet only. */
import type { Scene } from './scene.ts';

export interface ConnectionFigures {
  readonly requested: number;
  readonly applied: number;
  readonly sync_needed: boolean;
  readonly notified: boolean;
  readonly error_count: number;
  readonly last_error: { readonly kind?: string; readonly reason?: string } | null;
  readonly waits: boolean;
  readonly wait_seconds: number | null;
  /** As PostgreSQL writes it. */
  readonly last_synced_at: string | null;
  readonly status: string;
  readonly status_reason: string | null;
  readonly deliveries: number;
  readonly runs: number;
  readonly intervals: number;
}

export async function readConnection(scene: Scene, connectionId: string): Promise<ConnectionFigures> {
  const [row] = await scene.owned.database.sql<ConnectionFigures[]>`
    SELECT requested::int, applied::int, sync_needed, last_webhook_received_at IS NOT NULL AS notified, error_count,
           last_error, coalesce(backoff_until > now(), false) AS waits,
           extract(epoch FROM backoff_until - now())::float8 AS wait_seconds, last_synced_at, status, status_reason,
           (SELECT count(*)::int FROM deliveries d WHERE d.connection_id = c.id) AS deliveries,
           (SELECT count(*)::int FROM sync_runs r WHERE r.connection_id = c.id) AS runs,
           (SELECT count(*)::int FROM external_calendar_events e
             WHERE e.connection_id = c.id AND e.is_busy AND e.booking_id IS NULL) AS intervals
      FROM external_calendar_connections c WHERE id = ${connectionId}`;
  if (row === undefined) throw new Error('the connection has no row');
  return row;
}

/** Resolves when nothing is due for a connection any more. Milliseconds. */
export function untilQuiet(scene: Scene, connectionId: string): Promise<number> {
  return scene.until('the connection to have nothing due', async () => {
    const row = await readConnection(scene, connectionId);
    return row.requested === row.applied;
  });
}

/** The row as it was when nothing was due: a moment later the echo of a booking may ask for another look. */
export async function readWhenQuiet(scene: Scene, connectionId: string): Promise<ConnectionFigures> {
  let quiet: ConnectionFigures | null = null;
  await scene.until('the connection to have nothing due', async () => {
    const row = await readConnection(scene, connectionId);
    if (row.requested === row.applied) quiet = row;
    return quiet !== null;
  });
  return quiet as unknown as ConnectionFigures;
}

/** Who asked for each sync since the given run, the oldest first. */
export async function listRuns(scene: Scene, connectionId: string) {
  return scene.owned.database.sql<{ requested_by: string; mode: string; outcome: string; put_count: number }[]>`
    SELECT requested_by, mode, outcome, put_count FROM sync_runs WHERE connection_id = ${connectionId} ORDER BY id`;
}
