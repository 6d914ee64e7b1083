/** A provider of the drill's own, with a calendar at a sandbox. */
import type { CalendarProvider, ConnectionStatus, SandboxCalendar } from '@bookiji/local-fleet';
import { keepCredentials } from './keep-credentials.ts';
import type { Scene } from './scene.ts';

export interface DrilledProvider {
  readonly providerId: string;
  readonly connectionId: string;
  readonly calendar: SandboxCalendar;
}

/** Connects a new provider and waits for the first sync and the channel; all of it is removed at the end. */
export async function connectProvider(
  scene: Scene,
  calendarProvider: CalendarProvider,
  account: Readonly<Record<string, unknown>> = {},
): Promise<DrilledProvider> {
  const providerId = scene.target.nextProviderId();
  const email = scene.target.privateWords.keep(
    'address',
    `drilled-${providerId.slice(0, 8)}${providerId.slice(9, 13)}@${calendarProvider}.example`,
  );
  const calendar = { calendarProvider, email };
  await scene.sandbox.putUser({
    calendar_provider: calendarProvider,
    email,
    name: scene.invent('name', 'Dana'),
    time_zone: 'America/Toronto',
    ...account,
  });
  scene.cleanUp(`the sandbox account at ${calendarProvider}`, () =>
    scene.sandbox.order('DELETE', `/users/${calendarProvider}/${encodeURIComponent(email)}`),
  );
  const connectionId = await scene.ingress.connectCalendar(providerId, calendarProvider, email);
  scene.cleanUp(`the connection at ${calendarProvider}`, () => disconnect(scene, connectionId));
  const provider = { providerId, connectionId, calendar };
  await scene.until('the first sync and the channel', async () => {
    const status = await readStatus(scene, provider);
    return status.last_synced_at !== null && (status.channel_expires_at !== null || account.watchable === false);
  });
  await keepCredentials(scene.target, connectionId);
  return provider;
}

async function disconnect(scene: Scene, connectionId: string): Promise<void> {
  await keepCredentials(scene.target, connectionId);
  const { status } = await scene.ingress.request('DELETE', `/api/calendar/connections/${connectionId}`);
  if (status !== 204 && status !== 404) throw new Error(`disconnecting answered ${status}`);
}

export async function readStatus(scene: Scene, provider: DrilledProvider): Promise<ConnectionStatus> {
  const found = await scene.ingress.connections(provider.providerId);
  const status = found.find(({ id }) => id === provider.connectionId);
  if (status === undefined) throw new Error('the connection is gone');
  return status;
}
