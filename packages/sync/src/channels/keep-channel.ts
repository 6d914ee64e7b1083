/**
 * Keeping a connection's push registration: opened when there is none, extended or replaced before it ends, with an
 * overlap, so that no notification falls between two; replaced when it announces nothing.
 *
 * ```
 * registering ──answered──▶ active ──replaced, removed by its provider──▶ retired
 *   ▲  │  └──refused──▶ failed ────────another one was opened──────────────▲ │
 *   │  └─────────────not answered: ended all the same──────────────────────┘ │
 *   └────────────────opened after that: until it is ended────────────────────┘
 * ```
 *
 * What if two processes do this at once? Both open one, neither ends what the other has on record, and the next look keeps
 * one that its provider confirms. What if one dies after the provider answered? The row stays `registering`: the next look
 * opens another one and ends it. What if that one only stood still? Its row is retired when it wakes, so it ends what it
 * opened and nothing else; until that is done the row is `registering` again, so that the next look ends it if this one
 * cannot. A calendar that cannot be watched is polled, and asked about again ever more rarely.
 */
import {
  activateChannel,
  type Channel,
  type ChannelInUse,
  type Connection,
  type Database,
  insertRegisteringChannel,
  listChannelsInUse,
  listChannelsOf,
  noteOpenedLate,
  noteUpkeep,
  readDatabaseTime,
  requestSync,
  setChannelState,
  type UpkeepSettings,
} from '@bookiji/db';
import {
  type CalendarPort,
  type OpenChannelRequest,
  type OpenedChannel,
  ProviderError,
} from '@bookiji/providers/contract';
import { channelSecret, createChannelId, notificationAddress, secretMarkOf } from './channel-id.ts';
import { closeChannels, closeUnknown } from './close-channels.ts';

export interface KeepChannelDeps extends Omit<UpkeepSettings, 'secretMark'> {
  readonly db: Database;
  readonly port: CalendarPort;
  readonly secrets: readonly string[];
  /** Where this calendar provider's notifications are taken in. */
  readonly notificationUrl: string;
}

/** `silent`: replaced because it announced nothing. `superseded`: somebody else saw to it meanwhile. */
export type KeepChannelOutcome = 'kept' | 'opened' | 'extended' | 'replaced' | 'silent' | 'refused' | 'superseded';

/** Asked for; what is granted may be less. Graph takes under seven days, Google a week by default. */
const LIFETIME_SECONDS = 6.5 * 86_400;

/** An opening that is not answered after this long has lost its answer. */
const OPENING_MS = 60_000;

/** @throws ProviderError when the provider could not be asked; the sweep comes again. */
export async function keepChannel(
  deps: KeepChannelDeps,
  connection: Connection,
  signal: AbortSignal,
): Promise<KeepChannelOutcome> {
  const now = await readDatabaseTime(deps.db);
  const settings = { ...deps, secretMark: secretMarkOf(deps.secrets) };
  const inUse = (await listChannelsInUse(deps.db, connection.id, settings)).filter(
    (channel) => !isOpening(channel, now),
  );
  await noteUpkeep(deps.db, connection.id);
  const active = inUse.filter((channel) => channel.state === 'active');
  // Of several, one process may have ended at the provider what another has on record: only an answer tells which is left.
  const isContested = active.length > 1 && connection.calendarProvider === 'microsoft';
  const good = isContested ? undefined : active.filter((channel) => channel.upkeep === null).at(-1);
  const keepOnly = async (kept: Pick<Channel, 'id' | 'resourceId'>, outcome: KeepChannelOutcome) => {
    const others = inUse.filter(({ id }) => id !== kept.id);
    await closeChannels(deps, others, kept, signal);
    return outcome;
  };
  if (good !== undefined) return keepOnly(good, 'kept');

  const expiresAt = new Date(now.getTime() + LIFETIME_SECONDS * 1000);
  const newest = active.at(-1);
  for (const channel of isContested ? active.toReversed() : active.slice(-1)) {
    if (canBeExtended(channel) && (await extend(deps, channel, expiresAt, signal)))
      return keepOnly(channel, 'extended');
  }
  const listNewcomers = async () =>
    (await listChannelsOf(deps.db, connection.id)).filter(
      ({ id, state }) => state === 'active' && !inUse.some((known) => known.id === id),
    );
  const opened = await open(deps, { connection, expiresAt, listNewcomers }, signal);
  if (opened === 'refused' || opened === 'superseded') return opened;
  // What changed while there was no channel was announced to nobody.
  await requestSync(deps.db, [connection.id], 'schedule');
  await closeUnknown(deps, notificationAddress(deps.notificationUrl, connection), listNewcomers, signal);
  return keepOnly(opened, outcomeOf(newest));
}

/** Extending changes neither that a channel is silent, nor the secret that it was made with. */
function canBeExtended({ upkeep }: ChannelInUse): boolean {
  return upkeep !== 'silent' && upkeep !== 'outdated';
}

function isOpening({ state, updatedAt }: Channel, now: Date): boolean {
  return state === 'registering' && updatedAt.getTime() > now.getTime() - OPENING_MS;
}

function outcomeOf(before: ChannelInUse | undefined): KeepChannelOutcome {
  if (before === undefined) return 'opened';
  return before.upkeep === 'silent' ? 'silent' : 'replaced';
}

/** Also how Graph is told that its asking for a new authorization was heard. */
async function extend(deps: KeepChannelDeps, channel: Channel, expiresAt: Date, signal: AbortSignal): Promise<boolean> {
  const { id: channelId, resourceId, subscriptionId } = channel;
  try {
    const renewed = await deps.port.renewChannel({ channelId, resourceId, subscriptionId }, expiresAt, signal);
    return await activateChannel(deps.db, channel.id, {
      resourceId: renewed.resourceId ?? resourceId,
      subscriptionId: renewed.subscriptionId ?? subscriptionId,
      expiresAt: renewed.expiresAt,
    });
  } catch (error) {
    // Google cannot extend, and Graph may have dropped it: a new one is opened then.
    if (error instanceof ProviderError && ['permanent', 'not_found', 'conflict'].includes(error.kind)) return false;
    throw error;
  }
}

interface Opening {
  readonly connection: Connection;
  readonly expiresAt: Date;
  /** Active channels that were not on record when this look began. */
  readonly listNewcomers: () => Promise<Channel[]>;
}

/** `refused`: the calendar cannot be watched. */
async function open(
  deps: KeepChannelDeps,
  opening: Opening,
  signal: AbortSignal,
): Promise<(OpenedChannel & { readonly id: string }) | 'refused' | 'superseded'> {
  const { connection, expiresAt } = opening;
  const { calendarProvider } = connection;
  const id = createChannelId(connection.id);
  const secretMark = secretMarkOf(deps.secrets);
  await insertRegisteringChannel(deps.db, { id, connectionId: connection.id, calendarProvider, secretMark });
  const secret = channelSecret(calendarProvider, id, deps.secrets);
  const notificationUrl = notificationAddress(deps.notificationUrl, connection);
  const request = { channelId: id, secret, notificationUrl, expiresAt };
  const opened = await openOrReplace(deps, opening, request, signal).catch(async (error: unknown) => {
    if (!(error instanceof ProviderError) || error.outcomeUnknown) throw error;
    await setChannelState(deps.db, id, 'failed');
    // `conflict`: another connection watches the same mailbox, and Graph allows one of us.
    if (['permanent', 'not_found', 'conflict'].includes(error.kind)) return 'refused' as const;
    throw error;
  });
  if (opened === 'refused') return opened;
  if (opened !== null) {
    if (await activateChannel(deps.db, id, opened)) return { id, ...opened };
    await noteOpenedLate(deps.db, id, opened);
    await deps.port.closeChannel({ channelId: id, ...opened }, signal);
  }
  await setChannelState(deps.db, id, 'retired');
  return 'superseded';
}

/**
 * Graph refuses a second subscription of the same kind; one under our own address is a lost answer's and goes. Null when it
 * is on record by now: then somebody else was quicker.
 */
async function openOrReplace(
  deps: KeepChannelDeps,
  { listNewcomers }: Opening,
  request: OpenChannelRequest,
  signal: AbortSignal,
): Promise<OpenedChannel | null> {
  try {
    return await deps.port.openChannel(request, signal);
  } catch (error) {
    if (!(error instanceof ProviderError && error.kind === 'conflict')) throw error;
    if ((await listNewcomers()).length > 0) return null;
    await closeUnknown(deps, request.notificationUrl, listNewcomers, signal);
    return deps.port.openChannel(request, signal);
  }
}
