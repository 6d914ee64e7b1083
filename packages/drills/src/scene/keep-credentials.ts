import { fields } from '@bookiji/runtime';
import { channelSecret, unsealToken } from '@bookiji/sync';
import type { OwnedFleet, Target } from '../target/target.ts';

/** Remembers what a connection's row makes secret: its tokens, its cursor, its channels' proofs. Our own fleet only. */
export async function keepCredentials(target: Target, connectionId: string): Promise<void> {
  const { owned, privateWords } = target;
  if (owned === null) return;
  const { sql } = owned.database;
  const [row] = await sql`
    SELECT access_token_sealed, refresh_token_sealed, sync_cursor, calendar_provider
      FROM external_calendar_connections WHERE id = ${connectionId}`;
  if (row === undefined) return;
  const keys = fields.TOKEN_ENCRYPTION_KEYS.parse(owned.environment.TOKEN_ENCRYPTION_KEYS);
  for (const field of ['access_token', 'refresh_token'] as const) {
    const sealed: string | null = row[`${field}_sealed`];
    if (sealed !== null) privateWords.keep('token', unsealToken(sealed, { connectionId, field }, keys));
  }
  if (row.sync_cursor !== null) privateWords.keep('cursor', row.sync_cursor);
  const channels = await sql`SELECT id FROM channels WHERE connection_id = ${connectionId}`;
  for (const { id } of channels) {
    privateWords.keep('secret', channelSecret(row.calendar_provider, id, channelSecretsOf(owned)));
  }
}

export function channelSecretsOf(owned: OwnedFleet): string[] {
  return (owned.environment.CHANNEL_SECRETS ?? '').split(',').map((secret) => secret.trim());
}
