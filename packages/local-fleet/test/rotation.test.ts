/**
 * Every secret is exchanged under load, by the three steps of docs/runbooks/rotating-secrets-and-keys.md: accepted beside
 * the old one, put first, alone. No honest request is refused meanwhile, and afterwards nothing old is taken.
 */
import { spawn } from 'node:child_process';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '@bookiji/runtime';
import { findFreePort } from '@bookiji/runtime';
import { channelSecret } from '@bookiji/sync';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type CalendarProvider,
  createIngressClient,
  createSandboxClient,
  type IngressClient,
  localDoors,
  localEnvironment,
  makeBookingEvent,
  ROOT,
  type SandboxClient,
  startFleet,
  waitUntil,
} from '../src/index.ts';
import { slotAt } from './fleet-harness.ts';
import { type FrontDoor, openFrontDoor } from './front-door.ts';
import { type RollingFleet, startRollingFleet } from './rolling-fleet.ts';

const secret = () => randomBytes(24).toString('base64url');
const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const LISTS = {
  API_TOKENS: [secret(), secret()],
  OPS_TOKENS: [secret(), secret()],
  CHANNEL_SECRETS: [secret(), secret()],
  TOKEN_ENCRYPTION_KEYS: [key('old'), key('new')],
  GOOGLE_CALENDAR_WEBHOOK_SECRET: [secret(), secret()],
} as const satisfies Record<string, readonly [old: string, fresh: string]>;
const RELAY = LISTS.GOOGLE_CALENDAR_WEBHOOK_SECRET;
/** The calendar providers take two while one is exchanged; we hold one. */
const CLIENT_SECRETS = [secret(), secret()] as const;

/** Of each kind of honest request. */
const AT_LEAST = 3;

type Step = 'old' | 'accepted' | 'first' | 'alone';
const ORDER: Readonly<Record<Step, readonly (0 | 1)[]>> = { old: [0], accepted: [0, 1], first: [1, 0], alone: [1] };

function secretsAt(step: Step): Environment {
  const lists = Object.fromEntries(
    Object.entries(LISTS).map(([name, values]) => [name, ORDER[step].map((at) => values[at]).join(',')]),
  );
  const clientSecret = CLIENT_SECRETS[step === 'old' || step === 'accepted' ? 0 : 1];
  return {
    ...lists,
    MICROSOFT_CALENDAR_WEBHOOK_SECRET: lists.GOOGLE_CALENDAR_WEBHOOK_SECRET,
    GOOGLE_CLIENT_SECRET: clientSecret,
    MICROSOFT_CLIENT_SECRET: clientSecret,
  };
}

interface Watched {
  readonly providerId: string;
  readonly calendarProvider: CalendarProvider;
  readonly email: string;
}

describe('while every secret is exchanged under load', () => {
  let database: TestDatabase;
  let door: FrontDoor;
  let fleet: RollingFleet;
  let sandbox: SandboxClient;
  let sandboxProcess: ReturnType<typeof startFleet>;
  let base: Environment;
  const watched: Watched[] = [];
  const events: { readonly id: string; readonly owner: Watched }[] = [];
  const bookings: { readonly id: string; readonly owner: Watched }[] = [];
  const troubles: string[] = [];
  let isOver = false;
  /** Which of each pair the honest use now. */
  let inUse: readonly (0 | 1)[] = [0];
  let round = 0;
  const pick = <T>(pair: readonly [T, T]): T => pair[inUse[round++ % inUse.length] ?? 0];
  const client = (): IngressClient => createIngressClient(door.url, pick(LISTS.API_TOKENS));
  const at = (step: Step): Environment => ({ ...base, ...secretsAt(step) });

  beforeAll(async () => {
    database = await createTestDatabase();
    door = await openFrontDoor();
    const sandboxPort = String(await findFreePort());
    const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
    base = localEnvironment(
      {
        ...process.env,
        ...localDoors(database.url),
        ...secretsAt('old'),
        DATABASE_URL: database.url,
        QUEUE_PREFIX: `{rotation-${randomUUID().slice(0, 8)}}`,
        PUBLIC_BASE_URL: door.url,
        SANDBOX_PORT: sandboxPort,
        SWEEP_INTERVAL_MS: '300',
        BACKOFF_BASE_SECONDS: '1',
        BACKOFF_MAX_SECONDS: '2',
        // What arrives was announced, not found by looking again.
        RECONCILE_INTERVAL_SECONDS: '3600',
      },
      sandboxUrl,
    );
    sandboxProcess = startFleet(base, ['sandbox'], () => undefined);
    sandbox = createSandboxClient(sandboxUrl);
    fleet = await startRollingFleet(base);
    door.lead({ urls: [fleet.urls['ingress-a'], fleet.urls['ingress-b']], relaySecret: RELAY[0] });
    await waitUntil(
      'the sandbox',
      () =>
        fetch(`${sandboxUrl}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      90_000,
    );
    await registerClients([...CLIENT_SECRETS]);
    await connectOne('google');
    await connectOne('microsoft');
  }, 120_000);

  afterAll(async () => {
    isOver = true;
    await fleet?.stop();
    await sandboxProcess?.stop();
    await door?.close();
    await database?.drop();
  }, 180_000);

  const registerClients = async (secrets: readonly string[]) => {
    for (const calendar_provider of ['google', 'microsoft']) {
      await sandbox.order('PUT', '/clients', { calendar_provider, client_id: 'bookiji-local', client_secret: secrets });
    }
  };

  async function connectOne(calendarProvider: CalendarProvider): Promise<void> {
    const providerId = randomUUID();
    const email = `${providerId.slice(0, 8)}@${calendarProvider}.example`;
    await sandbox.putUser({ calendar_provider: calendarProvider, email, time_zone: 'UTC' });
    await client().connectCalendar(providerId, calendarProvider, email);
    await waitUntil(
      'the channel',
      async () => (await client().connections(providerId))[0]?.channel_expires_at,
      90_000,
      100,
    );
    watched.push({ providerId, calendarProvider, email });
  }

  /** Does it again and again until told to end, so often at least for a fast machine, and at most for a slow one; what is refused is noted. */
  function keepDoing(
    what: string,
    everyMs: number,
    atMost: number,
    work: () => Promise<unknown>,
  ): () => Promise<number> {
    let count = 0;
    const loop = (async () => {
      while ((!isOver || count < AT_LEAST) && count < atMost) {
        await work().catch((error: unknown) => troubles.push(`${what}: ${String(error)}`));
        count += 1;
        await sleep(everyMs);
      }
    })();
    return async () => {
      isOver = true;
      await loop;
      return count;
    };
  }

  const someone = () => watched[round++ % watched.length] as Watched;
  const startTraffic = (session: () => string) => [
    keepDoing('API', 80, 800, async () => {
      if ((await client().connections(someone().providerId)).length !== 1) throw new Error('no connection');
    }),
    keepDoing('owner', 250, 80, async () => {
      const owner = someone();
      const { id } = await sandbox.addEvent(owner, { title: 'Busy', ...slotAt(events.length % 200) });
      events.push({ id, owner });
    }),
    keepDoing('booking', 350, 50, async () => {
      const [owner, id] = [someone(), randomUUID()];
      const wish = {
        bookingId: id,
        providerId: owner.providerId,
        version: 1,
        type: 'booking.created' as const,
        title: id,
      };
      const { status } = await client().request(
        'POST',
        '/api/calendar/booking-events',
        makeBookingEvent({ ...wish, slot: slotAt(4) }),
      );
      if (status >= 400) throw new Error(String(status));
      bookings.push({ id, owner });
    }),
    keepDoing('connect', 2_500, 5, () => connectOne(round % 2 === 0 ? 'google' : 'microsoft')),
    keepDoing('operator', 200, 400, async () => {
      const status = await askOps({ cookie: session() }).catch(() => 'replaced');
      if (status !== 200 && status !== 'replaced') throw new Error(String(status));
    }),
  ];

  const askOps = async (headers: Record<string, string>) =>
    (await fetch(`${fleet.urls.ops}/api/ops/flags`, { headers: { accept: 'application/json', ...headers } })).status;

  async function logIn(password: string): Promise<string> {
    const body = new URLSearchParams({ password });
    const answer = await fetch(`${fleet.urls.ops}/login`, { method: 'POST', body, redirect: 'manual' });
    return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  }

  test('[W-2] [A-1] no honest request is refused, nothing is lost, and afterwards nothing old is taken', async () => {
    const [oldSession, channelBefore] = [await logIn(LISTS.OPS_TOKENS[0]), await readChannel(LISTS.CHANNEL_SECRETS[0])];
    let session = oldSession;
    const oldLink = await linkOf(LISTS.API_TOKENS[0]);
    expect(await notify(channelBefore, RELAY[0])).toBe(200);
    const traffic = startTraffic(() => session);

    await fleet.roll(at('accepted'));
    inUse = [0, 1];
    door.lead({ relaySecret: RELAY[1] });
    await fleet.roll(at('first'));
    expect(session).toBe(oldSession);
    session = await logIn(LISTS.OPS_TOKENS[1]);
    inUse = [1];
    await waitUntil(
      'every channel to be opened with the new secret',
      async () => {
        // A minute passes: a channel just seen to is let alone so long.
        await database.sql`UPDATE channels SET looked_after_at = looked_after_at - interval '1 minute'`;
        const [row] =
          await database.sql`SELECT count(DISTINCT secret_mark)::int AS marks FROM channels WHERE state = 'active'`;
        return row?.marks === 1;
      },
      60_000,
      1_000,
    );
    expect(await reseal(at('first'))).toBe(0);
    await registerClients([CLIENT_SECRETS[1]]);
    await fleet.roll(at('alone'));
    // Time for the traffic to meet processes that know the new secrets alone. No request is waited for: on a slow machine
    // each kind of it may have had its number by now.
    await sleep(500);

    const counts = await Promise.all(traffic.map((end) => end()));
    expect(troubles).toEqual([]);
    expect(door.refused).toEqual([]);
    for (const count of counts) expect(count).toBeGreaterThanOrEqual(AT_LEAST);
    await nothingLost();
    process.stderr.write(
      `rotation: ${door.answered()} requests, ${events.length} changes, ${bookings.length} bookings, ${watched.length} connections, 0 refused\n`,
    );

    expect(
      (await createIngressClient(door.url, LISTS.API_TOKENS[0]).request('GET', '/api/calendar/connections')).status,
    ).toBe(401);
    expect(await askOps({ cookie: oldSession })).toBe(401);
    expect(await askOps({ authorization: `Bearer ${LISTS.OPS_TOKENS[0]}` })).toBe(401);
    expect((await fetch(oldLink, { redirect: 'manual' })).status).toBe(400);
    expect(await notify(channelBefore, RELAY[1])).toBe(401);
    const channelAfter = await readChannel(LISTS.CHANNEL_SECRETS[1]);
    expect(await notify(channelAfter, RELAY[0])).toBe(401);
    expect(await notify(channelAfter, RELAY[1])).toBe(200);
  }, 600_000);

  async function linkOf(token: string): Promise<string> {
    const answer = await createIngressClient(door.url, token).request<{ url: string }>(
      'POST',
      '/api/calendar/connect-links',
      {
        provider_id: randomUUID(),
        calendar_provider: 'google',
      },
    );
    return answer.body.url;
  }

  /** The newest Google channel, as it was opened with this secret. */
  async function readChannel(channelSecretInUse: string): Promise<GoogleChannel> {
    const [row] = await database.sql`
      SELECT id, resource_id FROM channels
       WHERE state = 'active' AND calendar_provider = 'google' ORDER BY created_at DESC LIMIT 1`;
    const id = String(row?.id);
    return { id, resourceId: String(row?.resource_id), token: channelSecret('google', id, [channelSecretInUse]) };
  }

  /** As the calendar provider would, through a relay that signs with this secret. */
  async function notify(channel: GoogleChannel, relaySecret: string): Promise<number> {
    const answer = await fetch(`${fleet.urls['ingress-a']}/api/webhooks/calendar/google`, {
      method: 'POST',
      headers: {
        'x-goog-channel-id': channel.id,
        'x-goog-channel-token': channel.token,
        'x-goog-resource-id': channel.resourceId,
        'x-goog-resource-state': 'exists',
        'x-goog-message-number': '100000',
        'x-goog-signature': createHmac('sha256', relaySecret).update('').digest('hex'),
      },
    });
    return answer.status;
  }

  /** Every change is busy time, every booking is one event, in whatever step it fell. */
  async function nothingLost(): Promise<void> {
    await waitUntil(
      'every change to be busy time',
      async () => {
        const rows =
          await database.sql`SELECT external_event_id AS id FROM external_calendar_events WHERE booking_id IS NULL AND is_busy`;
        const known = new Set(rows.map(({ id }) => id));
        return events.every(({ id }) => known.has(id));
      },
      60_000,
      200,
    );
    await waitUntil(
      'every booking to be written',
      async () => {
        const rows =
          await database.sql`SELECT booking_id AS id FROM external_calendar_events WHERE sync_status = 'CREATED'`;
        const known = new Set(rows.map(({ id }) => id));
        return bookings.every(({ id }) => known.has(id));
      },
      60_000,
      200,
    );
    const day = 86_400_000;
    for (const owner of watched) {
      const shown = await sandbox.listEvents(owner, new Date(Date.now() - day), new Date(Date.now() + 3 * day));
      const mine = bookings
        .filter((booking) => booking.owner === owner)
        .map(({ id }) => id)
        .sort();
      expect(
        shown
          .map(({ title }) => title ?? '')
          .filter((title) => title !== 'Busy')
          .sort(),
      ).toEqual(mine);
    }
  }
});

interface GoogleChannel {
  readonly id: string;
  readonly token: string;
  readonly resourceId: string;
}

/** `calsync reseal` with these settings; its exit code. */
function reseal(environment: Environment): Promise<number | null> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@bookiji/source',
      '--disable-warning=ExperimentalWarning',
      join(ROOT, 'apps/cli/src/main.ts'),
      'reseal',
    ],
    { env: { ...environment }, stdio: 'ignore' },
  );
  return new Promise((resolve) => child.once('exit', resolve));
}
