/** Whose work may be done: the one place where statements ask the allowlists and the switches of operators. */
import { type SQL, sql } from 'drizzle-orm';

/** Which ids may be worked on; null restricts nothing. */
export interface Allowlists {
  readonly providerIds: readonly string[] | null;
  readonly connectionIds: readonly string[] | null;
  /** What operators switched off. */
  readonly calendarProvidersOff?: readonly string[];
  readonly connectionIdsOff?: readonly string[];
}

/**
 * Whether a connection may be worked on.
 *
 * @param connection how the statement calls `external_calendar_connections`.
 */
export function isAllowed(allow: Allowlists, connection = 'external_calendar_connections'): SQL {
  const { providerIds, connectionIds, calendarProvidersOff = [], connectionIdsOff = [] } = allow;
  const column = (name: string) => sql`${sql.identifier(connection)}.${sql.identifier(name)}::text`;
  const conditions = [
    providerIds === null ? null : isAmong(column('provider_id'), providerIds),
    connectionIds === null ? null : isAmong(column('id'), connectionIds),
    calendarProvidersOff.length === 0 ? null : sql`NOT ${isAmong(column('calendar_provider'), calendarProvidersOff)}`,
    connectionIdsOff.length === 0 ? null : sql`NOT ${isAmong(column('id'), connectionIdsOff)}`,
  ];
  const asked = conditions.filter((condition) => condition !== null);
  return asked.length === 0 ? sql`true` : sql.join(asked, sql` AND `);
}

/** One parameter however long the list is. */
function isAmong(column: SQL, ids: readonly string[]): SQL {
  return sql`(${JSON.stringify(ids)}::text::jsonb ? ${column})`;
}
