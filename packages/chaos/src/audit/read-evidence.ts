/** What the auditor looks at, and nothing else: the calendars' own history, and the tables that others read. */
import { setTimeout as sleep } from 'node:timers/promises';
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
  readonly unfinished: readonly UnfinishedWork[];
}

export interface UnfinishedWork {
  /** The connection's or the booking's id, or the outbox. */
  readonly subject: string;
  /** How far it is, who has it, until when it waits, and why. */
  readonly what: string;
}

/** Work may come up at any time, by a look that was due: the tables are read again until they hold none, for so long. */
const SETTLES_WITHIN_MS = 5_000;
const READ_AGAIN_MS = 100;

/** Evidence of a moment at which no work was under way; with its unfinished work where there is no such moment. */
export async function readSettledEvidence(sql: postgres.Sql, sandboxUrl: string): Promise<Evidence> {
  const until = performance.now() + SETTLES_WITHIN_MS;
  for (;;) {
    const evidence = await readEvidence(sql, sandboxUrl);
    if (evidence.unfinished.length === 0 || performance.now() > until) return evidence;
    await sleep(READ_AGAIN_MS);
  }
}

async function readEvidence(sql: postgres.Sql, sandboxUrl: string): Promise<Evidence> {
  const history = await readHistory(sandboxUrl);
  const tables = await sql.begin('ISOLATION LEVEL REPEATABLE READ READ ONLY', async (tx) => ({
    connections: await tx<StoredConnection[]>`
      SELECT id, provider_id AS "providerId", calendar_provider AS "calendarProvider", lower(provider_email) AS email, status
        FROM external_calendar_connections`,
    rows: await tx<StoredRow[]>`
      SELECT connection_id AS "connectionId", calendar_provider AS "calendarProvider",
             external_event_id AS "externalEventId", booking_id AS "bookingId", is_busy AS "isBusy",
             sync_status AS "syncStatus", ical_uid AS "icalUid",
             extract(epoch FROM start_time)::float8 * 1000 AS "startMs",
             extract(epoch FROM end_time)::float8 * 1000 AS "endMs"
        FROM external_calendar_events`,
    intents: await tx<{ booking_id: string; version: number }[]>`
      SELECT booking_id, version::float8 AS version FROM booking_intents`,
    counts: await tx<{ changes: number; letters: number }[]>`
      SELECT (SELECT count(*)::int FROM external_changes) AS changes, (SELECT count(*)::int FROM dead_letters) AS letters`,
    unfinished: await listUnfinished(tx),
  }));
  const [counts] = tables.counts;
  return {
    history,
    connections: tables.connections,
    rows: tables.rows,
    intents: new Map(tables.intents.map(({ booking_id, version }) => [booking_id, version])),
    externalChanges: counts?.changes ?? 0,
    deadLetters: counts?.letters ?? 0,
    unfinished: tables.unfinished,
  };
}

const dueConnections = (sql: postgres.ISql) => sql`external_calendar_connections WHERE requested > applied`;
const dueEffects = (sql: postgres.ISql) =>
  sql`booking_effects WHERE applied_version < version OR inspected < inspect_requested`;
const unrelayed = (sql: postgres.ISql) => sql`booking_outbox WHERE relayed_at IS NULL`;

/** Connections and bookings that the tables say are not up to date. */
export function countUnfinished(sql: postgres.ISql) {
  return sql`(
    (SELECT count(*) FROM ${dueConnections(sql)}) + (SELECT count(*) FROM ${dueEffects(sql)})
    + (SELECT count(*) FROM ${unrelayed(sql)}))::int`;
}

export function listUnfinished(sql: postgres.ISql): Promise<UnfinishedWork[]> {
  const held = sql`coalesce(lease_owner || ' until ' || (lease_until - now())::text, 'nobody')`;
  const why = sql`coalesce((last_error ->> 'kind') || ' ' || (last_error ->> 'reason'), 'nothing')`;
  return sql<UnfinishedWork[]>`
    SELECT id::text AS subject,
           format('sync asked by %s: request %s, applied %s; held by %s; waits %s after %s errors, last %s',
                  requested_by, requested, applied, ${held}, backoff_until - now(), error_count, ${why}) AS what
      FROM ${dueConnections(sql)}
    UNION ALL
    SELECT booking_id::text,
           format('booking in %s: version %s, applied %s; read %s, asked %s; held by %s, token %s; waits %s after %s errors, last %s',
                  connection_id, version, applied_version, inspected, inspect_requested, ${held}, lease_token,
                  next_attempt_at - now(), error_count, ${why})
      FROM ${dueEffects(sql)}
    UNION ALL
    SELECT 'booking_outbox', format('%s not relayed', id) FROM ${unrelayed(sql)}`;
}
