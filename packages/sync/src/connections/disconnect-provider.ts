/**
 * Ending a connection. Ours first: whatever the calendar provider does, the connection is gone when this returns. The
 * channels are closed before the grant is revoked, since afterwards they could not be.
 */
import {
  type Connection,
  type Database,
  eraseDisconnecting,
  findConnection,
  isAccountShared,
  isDisconnecting,
  listChannelsOf,
  readCredentials,
  type StoredCredentials,
} from '@bookiji/db';
import type { CalendarPort, OAuthPort } from '@bookiji/providers/contract';
import { notificationAddress } from '../channels/channel-id.ts';
import { closeChannels, closeUnknown } from '../channels/close-channels.ts';
import { type SealingKey, unsealToken } from './seal-token.ts';

export interface DisconnectDeps {
  readonly db: Database;
  readonly keys: readonly SealingKey[];
  readonly oauth: OAuthPort;
  readonly port: CalendarPort;
  /** Where this calendar provider's notifications are taken in. */
  readonly notificationUrl: string;
  /** How long the calendar provider is given, milliseconds. */
  readonly waitAtMostMs: number;
  /** Told what could not be ended there: it ends by itself. */
  readonly onLeftBehind: (what: 'channel' | 'grant', error: unknown) => void;
}

/**
 * Carries out the wish to disconnect that stands in the connection's row.
 *
 * @returns `withdrawn` when its owner connected again meanwhile: what was granted anew is neither revoked nor erased.
 */
export async function disconnectProvider(
  deps: DisconnectDeps,
  connection: Connection,
): Promise<'disconnected' | 'withdrawn'> {
  const signal = AbortSignal.timeout(deps.waitAtMostMs);
  // Ingress waits only so long and then erases the row, perhaps while channels are being closed.
  const before = await readCredentials(deps.db, connection.id);
  await closeAll(deps, connection, signal).catch((error: unknown) => deps.onLeftBehind('channel', error));
  // Read before the wish is looked at again: what is granted after that look is not what was to be ended.
  const granted = (await readCredentials(deps.db, connection.id)) ?? before;
  const now = await findConnection(deps.db, connection.id);
  if (now !== null && !isDisconnecting(now)) return 'withdrawn';
  await revoke(deps, connection, granted, signal).catch((error: unknown) => deps.onLeftBehind('grant', error));
  return (await eraseDisconnecting(deps.db, connection.id)) || now === null ? 'disconnected' : 'withdrawn';
}

/** Those of lost answers too: the rows that would tell of them are erased in a moment. */
async function closeAll(deps: DisconnectDeps, connection: Connection, signal: AbortSignal): Promise<void> {
  const channels = await listChannelsOf(deps.db, connection.id);
  const known = channels.find((channel) => channel.resourceId !== null) ?? null;
  for (const channel of channels) {
    await closeChannels(deps, [channel], known, signal).catch((error: unknown) => deps.onLeftBehind('channel', error));
  }
  await closeUnknown(deps, notificationAddress(deps.notificationUrl, connection), async () => [], signal);
}

/** Google ends the whole grant of an account, so one that another connection lives by is left to that one. */
async function revoke(
  deps: DisconnectDeps,
  connection: Connection,
  granted: StoredCredentials | null,
  signal: AbortSignal,
): Promise<void> {
  const refreshTokenSealed = granted?.refreshTokenSealed ?? null;
  if (refreshTokenSealed === null || (await isAccountShared(deps.db, connection))) return;
  const place = { connectionId: connection.id, field: 'refresh_token' } as const;
  await deps.oauth.revoke(unsealToken(refreshTokenSealed, place, deps.keys), signal);
}
