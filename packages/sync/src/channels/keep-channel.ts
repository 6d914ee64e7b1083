/**
 * Keeping a connection's push registration: opened when there is none, replaced or extended before it ends, with an
 * overlap, so that no notification falls between two.
 *
 * What if two processes do this at once? Both open one; the next look closes the older. What if one dies after the
 * provider answered? The row stays `registering` and is looked past; the registration ends by itself, and its late
 * deliveries find a channel that was issued. A calendar that cannot be watched is polled.
 */
import {
  activateChannel,
  type Channel,
  type Connection,
  type Database,
  insertRegisteringChannel,
  listChannelsOf,
  readDatabaseTime,
  requestSync,
  setChannelState,
} from '@bookiji/db';
import { type CalendarPort, ProviderError } from '@bookiji/providers/contract';
import { channelSecret, createChannelId } from './channel-id.ts';

export interface KeepChannelDeps {
  readonly db: Database;
  readonly port: CalendarPort;
  readonly secrets: readonly string[];
  /** Where this calendar provider's notifications are taken in. */
  readonly notificationUrl: string;
  /** How long before its end a channel is renewed. */
  readonly renewBeforeSeconds: number;
}

export type KeepChannelOutcome = 'kept' | 'opened' | 'extended' | 'replaced' | 'refused';

/** Asked for; what is granted may be less. Graph takes under seven days, Google a week by default. */
const LIFETIME_SECONDS = 6.5 * 86_400;

export async function keepChannel(
  deps: KeepChannelDeps,
  connection: Connection,
  signal: AbortSignal,
): Promise<KeepChannelOutcome> {
  const now = await readDatabaseTime(deps.db);
  const active = (await listChannelsOf(deps.db, connection.id)).filter((channel) => channel.state === 'active');
  const lasting = active.filter((channel) => lastsBeyond(channel, now, deps.renewBeforeSeconds));
  const [newest] = [...(lasting.length > 0 ? lasting : active)].reverse();
  if (lasting.length > 0 && newest !== undefined) {
    await closeOthers(deps, active, newest.id, signal);
    return 'kept';
  }
  const expiresAt = new Date(now.getTime() + lifetime(deps.renewBeforeSeconds) * 1000);
  if (newest !== undefined && (await extend(deps, newest, expiresAt, signal))) {
    await closeOthers(deps, active, newest.id, signal);
    return 'extended';
  }
  const openedId = await open(deps, connection, expiresAt, signal);
  if (openedId === null) return 'refused';
  // What changed while there was no channel was announced to nobody.
  await requestSync(deps.db, [connection.id], 'schedule');
  await closeOthers(deps, active, openedId, signal);
  return active.length === 0 ? 'opened' : 'replaced';
}

/** Long enough that renewing early leaves a life of its own. */
function lifetime(renewBeforeSeconds: number): number {
  return Math.max(LIFETIME_SECONDS, Math.min(renewBeforeSeconds + 3600, LIFETIME_SECONDS));
}

function lastsBeyond(channel: Channel, now: Date, seconds: number): boolean {
  return channel.expiresAt === null || channel.expiresAt.getTime() > now.getTime() + seconds * 1000;
}

async function extend(deps: KeepChannelDeps, channel: Channel, expiresAt: Date, signal: AbortSignal): Promise<boolean> {
  const { id: channelId, resourceId, subscriptionId } = channel;
  try {
    const renewed = await deps.port.renewChannel({ channelId, resourceId, subscriptionId }, expiresAt, signal);
    await activateChannel(deps.db, channel.id, {
      resourceId: renewed.resourceId ?? resourceId,
      subscriptionId: renewed.subscriptionId ?? subscriptionId,
      expiresAt: renewed.expiresAt,
    });
    return true;
  } catch (error) {
    // Google cannot extend, and Graph may have dropped it: a new one is opened then.
    if (error instanceof ProviderError && ['permanent', 'not_found', 'conflict'].includes(error.kind)) return false;
    throw error;
  }
}

/** The id of the opened channel; null when the calendar cannot be watched. */
async function open(
  deps: KeepChannelDeps,
  connection: Connection,
  expiresAt: Date,
  signal: AbortSignal,
): Promise<string | null> {
  const { calendarProvider } = connection;
  const id = createChannelId(connection.id);
  await insertRegisteringChannel(deps.db, { id, connectionId: connection.id, calendarProvider });
  const secret = channelSecret(calendarProvider, id, deps.secrets);
  const request = { channelId: id, secret, notificationUrl: deps.notificationUrl, expiresAt };
  try {
    await activateChannel(deps.db, id, await openOrReplace(deps, request, signal));
    return id;
  } catch (error) {
    await setChannelState(deps.db, id, 'failed');
    if (error instanceof ProviderError && (error.kind === 'permanent' || error.kind === 'not_found')) return null;
    throw error;
  }
}

/** Graph refuses a second subscription of the same kind; one that nobody here knows is a lost answer's and goes. */
async function openOrReplace(
  deps: KeepChannelDeps,
  request: Parameters<CalendarPort['openChannel']>[0],
  signal: AbortSignal,
) {
  try {
    return await deps.port.openChannel(request, signal);
  } catch (error) {
    if (!(error instanceof ProviderError && error.kind === 'conflict')) throw error;
    const listed = (await deps.port.listChannels(signal)) ?? [];
    for (const { subscriptionId, notificationUrl } of listed) {
      if (notificationUrl !== request.notificationUrl) continue;
      await deps.port.closeChannel({ channelId: '', resourceId: null, subscriptionId }, signal);
    }
    return deps.port.openChannel(request, signal);
  }
}

async function closeOthers(
  deps: KeepChannelDeps,
  active: readonly Channel[],
  keptId: string,
  signal: AbortSignal,
): Promise<void> {
  for (const { id, resourceId, subscriptionId } of active) {
    if (id === keptId) continue;
    // Retired first: from here on its deliveries mean nothing, whether it can be closed or not.
    await setChannelState(deps.db, id, 'retired');
    await deps.port.closeChannel({ channelId: id, resourceId, subscriptionId }, signal).catch((error: unknown) => {
      if (!(error instanceof ProviderError)) throw error;
    });
  }
}
