/** Rows with sensible defaults, so that a test shows only what matters to it. */
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';

export interface BuiltConnection {
  readonly id: string;
  readonly providerId: string;
  readonly calendarProvider: 'google' | 'microsoft';
}

/** A connection as connecting leaves it: active, dirty, never synced. */
export async function insertConnection(
  sql: postgres.Sql,
  over: Partial<BuiltConnection> & { readonly columns?: Record<string, string | number | boolean | null> } = {},
): Promise<BuiltConnection> {
  const { columns = {}, ...identity } = over;
  const built = { id: randomUUID(), providerId: randomUUID(), calendarProvider: 'google' as const, ...identity };
  const row = { id: built.id, provider_id: built.providerId, calendar_provider: built.calendarProvider, ...columns };
  await sql`INSERT INTO external_calendar_connections ${sql(row)}`;
  return built;
}

/** An active push registration of a connection; its id is returned. */
export async function insertChannel(
  sql: postgres.Sql,
  connection: BuiltConnection,
  columns: Record<string, string | null> = {},
): Promise<string> {
  const id = `${connection.id.replaceAll('-', '')}-${randomUUID().slice(0, 8)}`;
  const row = {
    id,
    connection_id: connection.id,
    calendar_provider: connection.calendarProvider,
    state: 'active',
    ...columns,
  };
  await sql`INSERT INTO channels ${sql(row)}`;
  return id;
}
