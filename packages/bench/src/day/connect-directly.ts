/** Connecting thousands of calendars without a browser for each: the grant from the sandbox, the row as connecting writes it. */
import { randomUUID } from 'node:crypto';
import { storeGrant } from '@bookiji/db';
import { calendarFields } from '@bookiji/fleet/settings';
import type { CalendarProvider } from '@bookiji/local-fleet';
import { type QueueSystem, ringInboundSyncs, ringRetry } from '@bookiji/queues';
import { loadSettings } from '@bookiji/runtime';
import { connectionIdOf, sealToken } from '@bookiji/sync';
import type { Cast, ConnectedCalendar } from '../cast.ts';

interface SandboxGrant {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly scope: string;
  readonly account_id: string;
}

const AT_ONCE = 20;
/** First syncs and channels are waited for in portions, so that a queue of thousands does not hide a standstill. */
const PORTION = 250;

/** Half of them at either calendar provider. @returns them synced for the first time, and watched. */
export async function connectDirectly(
  cast: Cast,
  queues: QueueSystem,
  count: number,
  say: (line: string) => void,
): Promise<ConnectedCalendar[]> {
  const calendars: ConnectedCalendar[] = [];
  while (calendars.length < count) {
    const portion: ConnectedCalendar[] = [];
    while (portion.length < Math.min(PORTION, count - calendars.length)) {
      const size = Math.min(AT_ONCE, PORTION - portion.length, count - calendars.length - portion.length);
      const wishes = Array.from({ length: size }, (_, at) => connectOne(cast, at % 2 === 0 ? 'google' : 'microsoft'));
      portion.push(...(await Promise.all(wishes)));
    }
    const ids = portion.map(({ connectionId }) => connectionId);
    await ringInboundSyncs(queues, ids);
    await cast.settled(ids, 120_000);
    await ringRetry(
      queues,
      ids.map((connection_id) => ({ task: 'keep_channel', connection_id })),
    );
    await cast.watched(ids, 120_000);
    await cast.settled(ids, 120_000);
    calendars.push(...portion);
    say(`${calendars.length} calendars connected`);
  }
  return calendars;
}

async function connectOne(cast: Cast, calendarProvider: CalendarProvider): Promise<ConnectedCalendar> {
  const { database, environment, sandbox } = cast;
  const keys = loadSettings({ ...calendarFields }, environment).TOKEN_ENCRYPTION_KEYS;
  const providerId = randomUUID();
  const connectionId = connectionIdOf(providerId, calendarProvider);
  const email = `p-${providerId.slice(0, 13)}@${calendarProvider}.example`;
  const grant = await sandbox.order<SandboxGrant>('POST', '/grants', {
    calendar_provider: calendarProvider,
    email,
    client_id: environment[`${calendarProvider.toUpperCase()}_CLIENT_ID`],
    time_zone: 'America/Toronto',
  });
  await storeGrant(database.db, {
    connectionId,
    providerId,
    calendarProvider,
    externalCalendarId: 'primary',
    accountId: grant.account_id,
    providerEmail: email,
    accessTokenSealed: sealToken(grant.access_token, { connectionId, field: 'access_token' }, keys),
    refreshTokenSealed: sealToken(grant.refresh_token, { connectionId, field: 'refresh_token' }, keys),
    accessTokenExpiresInSeconds: grant.expires_in,
    scopes: grant.scope.split(' '),
  });
  return { calendarProvider, email, providerId, connectionId };
}
