/** Calendars at the sandbox that are connected, watched and kept in sync, under a clock that the test moves. */
import { randomUUID } from 'node:crypto';
import {
  type Connection,
  findConnection,
  findConnectionsToWatch,
  readDatabaseTime,
  requestDueReconciles,
  type UpkeepSettings,
} from '@bookiji/db';
import {
  createIngressClient,
  createSandboxClient,
  type SandboxCalendar,
  type SandboxClient,
  type SandboxEvent,
  waitUntil,
} from '@bookiji/local-fleet';
import type { CalendarPort, CalendarProvider, OAuthPort } from '@bookiji/providers/contract';
import { createGoogleAdapter, createGoogleOAuth } from '@bookiji/providers/google';
import { createMicrosoftAdapter, createMicrosoftOAuth } from '@bookiji/providers/microsoft';
import { composePort, withTokenRetry } from '@bookiji/providers/policies';
import { createSandbox, type Sandbox } from '@bookiji/sandbox';
import {
  createTokenSource,
  disconnectProvider,
  type KeepChannelOutcome,
  keepChannel,
  type SyncOutcome,
  secretMarkOf,
  syncConnection,
} from '@bookiji/sync';
import { createTestDatabase, moveClock, type TestDatabase } from '@bookiji/testing';
import {
  API_TOKEN,
  CHANNEL_SECRETS,
  providerSettings,
  SEALING_KEYS,
  startIngress,
  type TestIngress,
} from './ingress-harness.ts';

const never = new AbortController().signal;
const ANYBODY = { providerIds: null, connectionIds: null };

export interface WatchSettings extends Omit<UpkeepSettings, 'secretMark'> {
  readonly reconcileSeconds: number;
  readonly futureDays: number;
}

export interface SandboxChannel {
  readonly channel_id: string;
  readonly email: string;
  readonly expires_at: string;
}

export interface WatchStage {
  readonly database: TestDatabase;
  readonly sandbox: SandboxClient;
  readonly ingress: TestIngress;
  /** Moves the clocks of the sandbox, the database and the adapters on together. */
  advance(seconds: number): Promise<void>;
  now(): Date;
  /** @param email of an account that is there already; by default one is made. */
  connect(calendarProvider: CalendarProvider, email?: string): Promise<WatchedCalendar>;
  close(): Promise<void>;
}

export interface WatchedCalendar {
  readonly calendar: SandboxCalendar;
  readonly connectionId: string;
  readonly providerId: string;
  /** Of channels; the first one signs. */
  secrets: readonly string[];
  /** Steps in before a call of the port goes out, after it was answered, after it failed. */
  before: (method: keyof CalendarPort) => Promise<void>;
  after: (method: keyof CalendarPort) => Promise<void>;
  afterFailure: (method: keyof CalendarPort | 'refresh') => Promise<void>;
  row(): Promise<Connection>;
  /** Whether upkeep would be asked for now. */
  isDue(): Promise<boolean>;
  keep(): Promise<KeepChannelOutcome>;
  /** As the sweep does it: only when it is due. */
  upkeep(): Promise<KeepChannelOutcome | 'nothing_due'>;
  sync(): Promise<SyncOutcome>;
  /** Carries out the wish to disconnect. */
  disconnect(): Promise<'disconnected' | 'withdrawn'>;
  /** What disconnecting could not end at the calendar provider. */
  readonly leftBehind: string[];
  /** Asks for a look if the connection's reconcile interval is over. */
  reconcile(): Promise<void>;
  /** The owner writes an event; resolves when ingress has taken a notification of it in. */
  addNoticed(start: Date): Promise<SandboxEvent>;
  channels(): Promise<SandboxChannel[]>;
  /** Stored busy time, and what the calendar itself shows as busy inside the window in sync. */
  compare(): Promise<{ stored: string[]; shown: string[] }>;
}

export async function startWatchStage(settings: WatchSettings): Promise<WatchStage> {
  const database = await createTestDatabase();
  let movedSeconds = 0;
  await moveClock(database.url, movedSeconds);
  const now = () => new Date(Date.now() + movedSeconds * 1000);
  const server = createSandbox();
  const { url } = await server.listen();
  const ingress = await startIngress({ sandboxUrl: url, shares: database, now });
  const sandbox = createSandboxClient(url);
  const stage = { database, sandbox, ingress, now };
  return {
    ...stage,
    async advance(seconds) {
      movedSeconds += seconds;
      await sandbox.order('PUT', '/clock', { offset_ms: movedSeconds * 1000 });
      await moveClock(database.url, movedSeconds);
    },
    connect: (calendarProvider, email) => connect({ ...stage, url, settings }, calendarProvider, email),
    close: () => close(ingress, server, database),
  };
}

async function close(ingress: TestIngress, server: Sandbox, database: TestDatabase): Promise<void> {
  await ingress.close();
  await server.close();
  await database.drop();
}

interface StageParts extends Pick<WatchStage, 'database' | 'sandbox' | 'ingress' | 'now'> {
  readonly url: string;
  readonly settings: WatchSettings;
}

async function connect(
  stage: StageParts,
  calendarProvider: CalendarProvider,
  known?: string,
): Promise<WatchedCalendar> {
  const { database, sandbox, ingress, settings } = stage;
  const providerId = randomUUID();
  const email = known ?? `w-${providerId.slice(0, 8)}@${calendarProvider}.example`;
  const calendar = { calendarProvider, email };
  if (known === undefined) {
    await sandbox.putUser({ calendar_provider: calendarProvider, email, time_zone: 'Europe/Rome' });
  }
  const booking = createIngressClient(ingress.url, API_TOKEN);
  const connectionId = await booking.connectCalendar(providerId, calendarProvider, calendar.email);
  const row = async () => {
    const found = await findConnection(database.db, connectionId);
    if (found === null) throw new Error('the connection is gone');
    return found;
  };
  const watched: WatchedCalendar = {
    calendar,
    connectionId,
    providerId,
    secrets: CHANNEL_SECRETS,
    before: async () => undefined,
    after: async () => undefined,
    afterFailure: async () => undefined,
    leftBehind: [],
    row,
    async isDue() {
      const upkeep = { ...settings, secretMark: secretMarkOf(watched.secrets) };
      return (await findConnectionsToWatch(database.db, ANYBODY, upkeep, 100)).includes(connectionId);
    },
    async keep() {
      const deps = {
        db: database.db,
        port: openPort(stage, watched),
        secrets: watched.secrets,
        notificationUrl: `${ingress.url}/api/webhooks/calendar/${calendarProvider}`,
        ...settings,
      };
      return keepChannel(deps, await row(), never);
    },
    upkeep: async () => ((await watched.isDue()) ? watched.keep() : 'nothing_due'),
    sync: () =>
      syncConnection(
        {
          db: database.db,
          openCalendar: () => openPort(stage, watched),
          owner: 'watch',
          window: { pastDays: 1, futureDays: settings.futureDays },
          backoff: { baseSeconds: 1, maxSeconds: 10 },
          reconcileSeconds: settings.reconcileSeconds,
          leaseMs: 20_000,
          random: () => 0,
        },
        connectionId,
        never,
      ),
    async disconnect() {
      const deps = {
        db: database.db,
        keys: SEALING_KEYS,
        oauth: openEdge(stage, calendarProvider).oauth,
        port: openPort(stage, watched),
        notificationUrl: `${ingress.url}/api/webhooks/calendar/${calendarProvider}`,
        waitAtMostMs: 10_000,
        onLeftBehind: (what: string) => void watched.leftBehind.push(what),
      };
      return disconnectProvider(deps, await row());
    },
    async reconcile() {
      await requestDueReconciles(database.db, ANYBODY, settings.reconcileSeconds, 100);
    },
    async addNoticed(start) {
      const before = await countDeliveries(database, connectionId);
      const end = new Date(start.getTime() + 1_800_000);
      const event = await sandbox.addEvent(calendar, { start: start.toISOString(), end: end.toISOString() });
      await waitUntil(
        'a notification',
        async () => (await countDeliveries(database, connectionId)) > before,
        60_000,
        5,
      );
      return event;
    },
    async channels() {
      const { channels } = await sandbox.order<{ channels: SandboxChannel[] }>('GET', '/channels');
      return channels.filter(({ email }) => email === calendar.email);
    },
    compare: () => compare(stage, watched),
  };
  return watched;
}

async function countDeliveries({ sql }: TestDatabase, connectionId: string): Promise<number> {
  const [row] = await sql`SELECT count(*)::int AS n FROM deliveries WHERE connection_id = ${connectionId}`;
  return row?.n ?? 0;
}

/** One calendar provider's adapter and OAuth, with the clock of the stage. */
function openEdge({ url, now }: StageParts, calendarProvider: CalendarProvider) {
  const names = providerSettings(url);
  if (calendarProvider === 'google') {
    const google = {
      apiBaseUrl: url,
      tokenUrl: names.GOOGLE_TOKEN_URL,
      revokeUrl: names.GOOGLE_REVOKE_URL,
      clientId: names.GOOGLE_CLIENT_ID,
      clientSecret: names.GOOGLE_CLIENT_SECRET,
      now,
    };
    return { oauth: createGoogleOAuth(google), adapter: createGoogleAdapter(google) };
  }
  const microsoft = {
    graphBaseUrl: url,
    loginBaseUrl: url,
    clientId: names.MICROSOFT_CLIENT_ID,
    clientSecret: names.MICROSOFT_CLIENT_SECRET,
    now,
  };
  return { oauth: createMicrosoftOAuth(microsoft), adapter: createMicrosoftAdapter(microsoft) };
}

/** A port whose calls the test can step between. */
function openPort(stage: StageParts, watched: WatchedCalendar): CalendarPort {
  const { calendar, connectionId } = watched;
  const { oauth, adapter } = openEdge(stage, calendar.calendarProvider);
  const slowly: OAuthPort = {
    ...oauth,
    async refresh(refreshToken, signal) {
      try {
        return await oauth.refresh(refreshToken, signal);
      } catch (error) {
        await watched.afterFailure('refresh');
        throw error;
      }
    },
  };
  const tokens = createTokenSource({ db: stage.database.db, keys: SEALING_KEYS, oauth: slowly, connectionId });
  const port = composePort(adapter.open({ connectionId, calendarId: 'primary', tokens }), withTokenRetry());
  return new Proxy(port, {
    get(target, name: keyof CalendarPort) {
      const member = target[name];
      if (typeof member !== 'function') return member;
      return async (...given: unknown[]) => {
        await watched.before(name);
        try {
          const answer = await (member as (...all: unknown[]) => Promise<unknown>).apply(target, given);
          await watched.after(name);
          return answer;
        } catch (error) {
          await watched.afterFailure(name);
          throw error;
        }
      };
    },
  });
}

async function compare({ database, sandbox }: StageParts, watched: WatchedCalendar) {
  const { syncWindowStart, syncWindowEnd } = await watched.row();
  if (syncWindowStart === null || syncWindowEnd === null) throw new Error('never synced');
  const rows = await database.sql<{ start_time: Date; end_time: Date }[]>`
    SELECT start_time, end_time FROM external_calendar_events
     WHERE connection_id = ${watched.connectionId} AND booking_id IS NULL AND is_busy`;
  const span = (start: Date | string, end: Date | string) =>
    `${new Date(start).toISOString()}/${new Date(end).toISOString()}`;
  const events = await sandbox.listEvents(watched.calendar, syncWindowStart, syncWindowEnd);
  const shown = events
    .filter((event) => isBusy(event))
    .map((event) => span(String(event.start_at), String(event.end_at)));
  return { stored: rows.map((one) => span(one.start_time, one.end_time)).sort(), shown: shown.sort() };
}

/** What keeps an owner from being booked, as the calendar itself shows it. */
function isBusy(event: SandboxEvent): boolean {
  if (event.show_as === 'free' || event.show_as === 'workingElsewhere') return false;
  if (event.event_type === 'workingLocation' || event.event_type === 'birthday') return false;
  return event.response_status !== 'declined' && event.start_at !== event.end_at;
}

/** How long the database says it is until `instant`, seconds. */
export async function secondsUntil({ database }: Pick<WatchStage, 'database'>, instant: Date | null): Promise<number> {
  const now = await readDatabaseTime(database.db);
  return ((instant?.getTime() ?? 0) - now.getTime()) / 1000;
}
