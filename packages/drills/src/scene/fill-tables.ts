/**
 * A row or two in every table. Those whose kinds of rows matter are written here; any other gets a row that is made up
 * from its columns.
 */
import { randomUUID } from 'node:crypto';
import type { DatabaseHandle } from '@bookiji/db';

type Sql = DatabaseHandle['sql'];

export async function fillTables(sql: Sql): Promise<void> {
  const ids = { provider: randomUUID(), google: randomUUID(), microsoft: randomUUID(), booking: randomUUID() };
  await fillInbound(sql, ids);
  await fillOutbound(sql, ids);
  await fillOperational(sql, ids);
  await fillOthers(sql);
}

/** The handle writes no JSON by itself. */
const json = (value: unknown) => JSON.stringify(value);

interface Ids {
  readonly provider: string;
  readonly google: string;
  readonly microsoft: string;
  readonly booking: string;
}

async function fillInbound(sql: Sql, { provider, google, microsoft, booking }: Ids): Promise<void> {
  await sql`
    INSERT INTO external_calendar_connections (id, provider_id, calendar_provider, requested, applied, sync_cursor, last_error)
    VALUES (${google}, ${provider}, 'google', 3, 2, 'cursor', NULL),
           (${microsoft}, ${provider}, 'microsoft', 1, 0, NULL, ${json({ kind: 'transient', reason: 'timeout' })}::text::jsonb)`;
  await sql`
    INSERT INTO external_calendar_events
      (connection_id, provider_id, calendar_provider, external_event_id, start_time, end_time, is_busy, checksum,
       booking_id, ical_uid, sync_status)
    VALUES (${google}, ${provider}, 'google', 'own', '2030-01-01T09:00Z', '2030-01-01T10:00Z', true, 'c', NULL, NULL, NULL),
           (${google}, ${provider}, 'google', 'ours', '2030-01-02T09:00Z', '2030-01-02T10:00Z', true, 'c',
            ${booking}, 'uid', 'CREATED'),
           (${microsoft}, ${provider}, 'microsoft', 'ours', '2030-01-02T09:00Z', '2030-01-02T10:00Z', false, 'c',
            ${booking}, 'uid', 'CANCELLED')`;
  await sql`
    INSERT INTO staged_changes (connection_id, lease_token, operation, external_event_id)
    VALUES (${google}, 1, 'drop', 'gone')`;
  await sql`INSERT INTO deliveries (connection_id, delivery_key) VALUES (${google}, '1'), (${google}, '2')`;
  await sql`
    INSERT INTO channels (id, connection_id, calendar_provider, state, subscription_id, unannounced_at, looked_after_at)
    VALUES (${randomUUID()}, ${google}, 'google', 'active', NULL, NULL, now()),
           (${randomUUID()}, ${microsoft}, 'microsoft', 'retired', ${randomUUID()}, now(), now())`;
}

async function fillOutbound(sql: Sql, { provider, google, booking }: Ids): Promise<void> {
  const details = { title: 'Haircut', time_zone: 'America/Toronto' };
  await sql`
    INSERT INTO booking_intents (booking_id, provider_id, version, state, start_time, end_time, details, event_id)
    VALUES (${booking}, ${provider}, 2, 'live', '2030-01-02T09:00Z', '2030-01-02T10:00Z', ${json(details)}::text::jsonb,
            ${randomUUID()}),
           (${randomUUID()}, ${provider}, 1, 'cancelled', NULL, NULL, NULL, ${randomUUID()})`;
  await sql`
    INSERT INTO booking_effects (booking_id, connection_id, version, applied_version, former_keys)
    VALUES (${booking}, ${google}, 2, 1, '{older}')`;
  await sql`
    INSERT INTO external_changes (kind, booking_id, provider_id, connection_id, booking_version, reading)
    VALUES ('moved', ${booking}, ${provider}, ${google}, 1, 'etag')`;
  await sql`
    INSERT INTO booking_outbox (event_id, booking_id, payload) VALUES (${randomUUID()}, ${booking}, ${json({})}::text::jsonb)`;
}

async function fillOperational(sql: Sql, { google }: Ids): Promise<void> {
  await sql`
    INSERT INTO sync_runs (connection_id, requested_by, mode, outcome, started_at)
    VALUES (${google}, 'webhook', 'full', 'synced', now())`;
  await sql`
    INSERT INTO dead_letters (kind, reason, subject, payload) VALUES ('booking_event', 'version', 'job:1', ${json({})}::text::jsonb)`;
  await sql`INSERT INTO operator_switches (name, is_on, changed_by) VALUES ('CALENDAR_SYNC_ENABLED', false, 'drill')`;
  await sql`INSERT INTO audit_log (actor, action, subject) VALUES ('drill', 'switch_off', 'CALENDAR_SYNC_ENABLED')`;
  await sql`INSERT INTO connection_audits (connection_id) VALUES (${google})`;
  await sql`
    INSERT INTO unreadable_items (connection_id, external_event_id, reason) VALUES (${google}, 'odd', 'no_end')`;
  await sql`INSERT INTO sweeps (name) VALUES ('due_connections')`;
  await sql`INSERT INTO used_connect_links (link_id, expires_at) VALUES ('link', now())`;
  await sql`INSERT INTO processes (instance_id, role) VALUES (${randomUUID()}, 'ingress')`;
}

/** A made-up value per type, for columns that must have one. */
const MADE_UP: Readonly<Record<string, string>> = {
  uuid: 'gen_random_uuid()',
  text: "'made-up'",
  boolean: 'false',
  jsonb: "'{}'",
  'timestamp with time zone': 'now()',
  ARRAY: "'{}'",
};

async function fillOthers(sql: Sql): Promise<void> {
  for (const [table, rows] of await readTables(sql)) {
    if (rows.length > 0) continue;
    const columns = await sql<{ name: string; type: string }[]>`
      SELECT column_name AS name, data_type AS type FROM information_schema.columns
       WHERE table_schema = current_schema() AND table_name = ${table}
         AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER'`;
    const names = columns.map(({ name }) => `"${name}"`).join(', ');
    const values = columns.map(({ type }) => MADE_UP[type] ?? '1').join(', ');
    // A table that takes no made-up row stays empty, and the drill says so.
    // biome-ignore lint/plugin: names of tables and columns, from the catalogue
    await sql.unsafe(`INSERT INTO "${table}" (${names}) VALUES (${values})`).catch(() => undefined);
  }
}

export type Rows = Readonly<Record<string, unknown>>[];

/** Every table but the list of migrations, with its rows in a fixed order. */
export async function readTables(sql: Sql): Promise<Map<string, Rows>> {
  const names = await sql<{ name: string }[]>`
    SELECT tablename AS name FROM pg_tables
     WHERE schemaname = current_schema() AND tablename <> 'schema_migrations' ORDER BY 1`;
  const tables = new Map<string, Rows>();
  for (const { name } of names) {
    const rows = await sql<
      { row: Rows[number] }[]
    >`SELECT to_jsonb(t) AS row FROM ${sql(name)} t ORDER BY to_jsonb(t)::text`;
    tables.set(
      name,
      rows.map(({ row }) => row),
    );
  }
  return tables;
}

/** The tables of both readings whose rows differ in a column that both have. */
export function findLost(before: ReadonlyMap<string, Rows>, after: ReadonlyMap<string, Rows>): string[] {
  return [...after].flatMap(([name, rows]) => {
    const earlier = before.get(name);
    if (earlier === undefined) return [];
    const [row = {}] = rows;
    const columns = Object.keys(row).filter((column) => column in (earlier[0] ?? {}));
    return earlier.length === rows.length && isSame(earlier, rows, columns) ? [] : [name];
  });
}

function isSame(one: Rows, other: Rows, columns: readonly string[]): boolean {
  const text = (rows: Rows) =>
    rows
      .map((row) => JSON.stringify(columns.map((column) => row[column])))
      .sort()
      .join('\n');
  return text(one) === text(other);
}
