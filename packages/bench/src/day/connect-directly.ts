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
/** Waited for in portions, so that a queue of thousands does not hide a standstill; the next ones are granted meanwhile. */
const PORTION = 100;
const PORTIONS_AT_ONCE = 3;
const READY_WITHIN_MS = 120_000;

/** Half of them at either calendar provider. @returns them watched, and synced for the first time. */
export async function connectDirectly(
  cast: Cast,
  queues: QueueSystem,
  count: number,
  say: (line: string) => void,
): Promise<ConnectedCalendar[]> {
  const calendars: ConnectedCalendar[] = [];
  const startedAt = performance.now();
  const underway: Promise<void>[] = [];
  while (calendars.length < count) {
    const portion = await grantPortion(cast, Math.min(PORTION, count - calendars.length));
    if (underway.length >= PORTIONS_AT_ONCE) await underway.shift();
    const ready = makeReady(
      cast,
      queues,
      portion.map(({ connectionId }) => connectionId),
    );
    // Heard when it is waited for.
    ready.catch(() => undefined);
    underway.push(ready);
    calendars.push(...portion);
    if (calendars.length % 1_000 === 0) say(`${calendars.length} calendars after ${secondsSince(startedAt)} s`);
  }
  await Promise.all(underway);
  say(`${calendars.length} calendars connected in ${secondsSince(startedAt)} s`);
  return calendars;
}

function secondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 1_000);
}

async function grantPortion(cast: Cast, size: number): Promise<ConnectedCalendar[]> {
  const portion: ConnectedCalendar[] = [];
  while (portion.length < size) {
    const wishes = Array.from({ length: Math.min(AT_ONCE, size - portion.length) }, (_, at) =>
      connectOne(cast, at % 2 === 0 ? 'google' : 'microsoft'),
    );
    portion.push(...(await Promise.all(wishes)));
  }
  return portion;
}

/** The channel first: opening it asks for a look, which then is the only one. */
async function makeReady(cast: Cast, queues: QueueSystem, ids: readonly string[]): Promise<void> {
  await ringRetry(
    queues,
    ids.map((connection_id) => ({ task: 'keep_channel', connection_id })),
  );
  await cast.watched(ids, READY_WITHIN_MS);
  await ringInboundSyncs(queues, ids);
  await cast.settled(ids, READY_WITHIN_MS);
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
