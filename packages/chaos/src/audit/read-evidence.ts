/** What the auditor looks at, and nothing else: the calendars' own history, and the tables that others read. */
import type postgres from 'postgres';
import { type HistoryEntry, readHistory } from '../history.ts';

export interface StoredRow {
  readonly connectionId: string;
  readonly calendarProvider: 'google' | 'microsoft';
  readonly externalEventId: string | null;
  readonly bookingId: string | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly isBusy: boolean;
  readonly syncStatus: string | null;
  readonly icalUid: string | null;
}

export interface StoredConnection {
  readonly id: string;
  readonly providerId: string;
  readonly calendarProvider: 'google' | 'microsoft';
  /** The account's address. */
  readonly email: string;
  readonly status: string;
}

export interface Evidence {
  readonly history: readonly HistoryEntry[];
  readonly connections: readonly StoredConnection[];
  readonly rows: readonly StoredRow[];
  /** Newest version stored per booking. */
  readonly intents: ReadonlyMap<string, number>;
  /** Changes that the product says owners made to bookings' events; nobody made any. */
  readonly externalChanges: number;
  readonly deadLetters: number;
  /** Work that the tables still hold. */
  readonly unfinished: number;
}

export async function readEvidence(sql: postgres.Sql, sandboxUrl: string): Promise<Evidence> {
  const [history, connections, rows, intents, [counts]] = await Promise.all([
    readHistory(sandboxUrl),
    sql<StoredConnection[]>`
      SELECT id, provider_id AS "providerId", calendar_provider AS "calendarProvider", lower(provider_email) AS email, status
        FROM external_calendar_connections`,
    sql<StoredRow[]>`
      SELECT connection_id AS "connectionId", calendar_provider AS "calendarProvider",
             external_event_id AS "externalEventId", booking_id AS "bookingId", is_busy AS "isBusy",
             sync_status AS "syncStatus", ical_uid AS "icalUid",
             extract(epoch FROM start_time)::float8 * 1000 AS "startMs",
             extract(epoch FROM end_time)::float8 * 1000 AS "endMs"
        FROM external_calendar_events`,
    sql<{ booking_id: string; version: number }[]>`SELECT booking_id, version::float8 AS version FROM booking_intents`,
    sql<{ changes: number; letters: number; unfinished: number }[]>`
      SELECT (SELECT count(*)::int FROM external_changes) AS changes,
             (SELECT count(*)::int FROM dead_letters) AS letters, ${countUnfinished(sql)} AS unfinished`,
  ]);
  return {
    history,
    connections,
    rows,
    intents: new Map(intents.map(({ booking_id, version }) => [booking_id, version])),
    externalChanges: counts?.changes ?? 0,
    deadLetters: counts?.letters ?? 0,
    unfinished: counts?.unfinished ?? 0,
  };
}

/** Connections and bookings that the tables say are not up to date. */
export function countUnfinished(sql: postgres.Sql) {
  return sql`(
    (SELECT count(*) FROM external_calendar_connections WHERE requested > applied)
    + (SELECT count(*) FROM booking_effects WHERE applied_version < version OR inspected < inspect_requested)
    + (SELECT count(*) FROM booking_outbox WHERE relayed_at IS NULL))::int`;
}
