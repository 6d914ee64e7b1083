/** Two processes look after the push registration of one mailbox, of which Graph allows one and Google any number. */
import { randomUUID } from 'node:crypto';
import { findConnection, findConnectionsToWatch } from '@bookiji/db';
import { type CalendarPort, ProviderError, type ProviderErrorFacts } from '@bookiji/providers/contract';
import { createFakeCalendar, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { secretMarkOf } from './channel-id.ts';
import { keepChannel } from './keep-channel.ts';

const URL_OF_OURS = 'https://calsync.example/api/webhooks/calendar/microsoft';
const EXPIRES_AT = new Date(Date.now() + 6 * 86_400_000);

let database: TestDatabase;
let connectionId: string;
let graph: ReturnType<typeof createGraph>;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  ({ id: connectionId } = await insertConnection(database.sql, { calendarProvider: 'microsoft' }));
  graph = createGraph();
});

function refuse(kind: 'conflict' | 'not_found', operation: 'open_channel' | 'renew_channel'): never {
  throw fail({ kind, operation, outcomeUnknown: false });
}

function fail(facts: Pick<ProviderErrorFacts, 'kind' | 'operation' | 'outcomeUnknown'>) {
  const rest = { status: 409, reason: facts.kind, retryAfterMs: null, requestId: null };
  return new ProviderError({ calendarProvider: 'microsoft', ...rest, ...facts });
}

/** One mailbox's subscriptions, by their address. */
function createGraph() {
  const subscriptions = new Map<string, string>();
  const port = (standStill: Partial<Record<'opened' | 'listing', () => Promise<void>>> = {}) =>
    ({
      ...createFakeCalendar().port,
      async openChannel({ notificationUrl }) {
        if (subscriptions.size > 0) refuse('conflict', 'open_channel');
        const subscriptionId = randomUUID();
        subscriptions.set(subscriptionId, notificationUrl);
        await standStill.opened?.();
        return { resourceId: null, subscriptionId, expiresAt: EXPIRES_AT };
      },
      async renewChannel({ subscriptionId }) {
        if (!subscriptions.has(subscriptionId ?? '')) refuse('not_found', 'renew_channel');
        return { resourceId: null, subscriptionId, expiresAt: EXPIRES_AT };
      },
      async closeChannel({ subscriptionId }) {
        subscriptions.delete(subscriptionId ?? '');
      },
      async listChannels() {
        await standStill.listing?.();
        return [...subscriptions].map(([subscriptionId, notificationUrl]) => ({
          ...{ subscriptionId, notificationUrl, expiresAt: EXPIRES_AT },
        }));
      },
    }) as CalendarPort;
  return { subscriptions, port };
}

/** One calendar's channels at Google, by their ids; all of them carry the resource of the calendar, and nothing lists them. */
function createGoogle() {
  const open = new Set<string>();
  const port = (standStill: Partial<Record<'opening' | 'closing', () => Promise<void>>> = {}) =>
    ({
      ...createFakeCalendar().port,
      async openChannel({ channelId }) {
        await standStill.opening?.();
        open.add(channelId);
        return { resourceId: 'resource', subscriptionId: null, expiresAt: EXPIRES_AT };
      },
      async closeChannel({ channelId, resourceId }) {
        if (resourceId === null) return;
        await standStill.closing?.();
        open.delete(channelId);
      },
      listChannels: async () => null,
    }) as CalendarPort;
  return { open, port };
}

const UPKEEP = { renewBeforeSeconds: 86_400, silentAfterSeconds: 86_400 };
const SECRETS = ['a secret of the test'];

async function keep(port: CalendarPort) {
  const connection = await findConnection(database.db, connectionId);
  if (connection === null) throw new Error('the connection is gone');
  const deps = { db: database.db, port, secrets: SECRETS, notificationUrl: URL_OF_OURS, ...UPKEEP };
  return keepChannel(deps, connection, new AbortController().signal);
}

const activeSubscriptions = async () => {
  const rows = await database.sql`
    SELECT subscription_id FROM channels WHERE connection_id = ${connectionId} AND state = 'active'`;
  return rows.map(({ subscription_id: id }) => id as string);
};
const existing = () => [...graph.subscriptions.keys()];

/** What a process does that stands still where it is told, until it is let go. */
function standingStill() {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const stand = () => {
    reached.resolve();
    return released.promise;
  };
  return { stand, reached: reached.promise, release: () => released.resolve() };
}

test('[R-2] who stood still after opening a channel ends it, and not the one that was opened in its place', async () => {
  const pause = standingStill();
  const late = keep(graph.port({ opened: pause.stand }));
  await pause.reached;
  await database.sql`
    UPDATE channels SET updated_at = now() - interval '2 hours' WHERE connection_id = ${connectionId}`;
  expect(await keep(graph.port())).toBe('opened');
  const [inPlace] = existing();
  pause.release();
  expect(await late).toBe('superseded');
  expect(existing()).toEqual([inPlace]);
  expect(await activeSubscriptions()).toEqual([inPlace]);
});

test('[R-2] who stood still before ending what it does not know spares what others have on record by then', async () => {
  const pause = standingStill();
  const late = keep(graph.port({ listing: pause.stand }));
  await pause.reached;
  graph.subscriptions.clear();
  const others = randomUUID();
  graph.subscriptions.set(others, `${URL_OF_OURS}?connection=${connectionId}`);
  await database.sql`
    INSERT INTO channels (id, connection_id, calendar_provider, state, subscription_id, expires_at, secret_mark)
    VALUES (${randomUUID()}, ${connectionId}, 'microsoft', 'active', ${others}, ${EXPIRES_AT.toISOString()}, 'm')`;
  pause.release();
  await late;
  expect(existing()).toEqual([others]);
});

test('[R-2] of several channels on record the one stays that its provider still has', async () => {
  expect(await keep(graph.port())).toBe('opened');
  const [alive] = existing();
  await database.sql`
    INSERT INTO channels (id, connection_id, calendar_provider, state, subscription_id, expires_at, secret_mark)
    SELECT ${randomUUID()}, connection_id, calendar_provider, 'active', ${randomUUID()}, expires_at, secret_mark
      FROM channels WHERE connection_id = ${connectionId}`;
  expect(await keep(graph.port())).toBe('extended');
  expect(await activeSubscriptions()).toEqual([alive]);
  expect(existing()).toEqual([alive]);
});

describe('who stood still before a channel was opened at Google, and cannot end it', () => {
  const neverAnswered = () => new Promise<never>(() => undefined);
  const refused = (outcomeUnknown: boolean) => async () => {
    throw fail({ kind: 'transient', operation: 'close_channel', outcomeUnknown });
  };

  test.each<[string, () => Promise<void>]>([
    ['is refused', refused(false)],
    ['has no answer', refused(true)],
    ['dies', neverAnswered],
  ])('[R-2] leaves it to the next look, when it %s', async (_, closing) => {
    const google = createGoogle();
    const { id } = await insertConnection(database.sql);
    connectionId = id;
    const pause = standingStill();
    const isEnding = standingStill();
    const late = keep(
      google.port({
        opening: pause.stand,
        closing: async () => {
          void isEnding.stand();
          await closing();
        },
      }),
    );
    late.catch(() => undefined);
    await pause.reached;
    const later = (hours: number) => database.sql`
      UPDATE channels SET updated_at = now() - ${hours} * interval '1 hour',
                          looked_after_at = now() - ${hours} * interval '1 hour' WHERE connection_id = ${connectionId}`;
    await later(2);
    expect(await keep(google.port())).toBe('opened');
    const [inPlace] = google.open;
    pause.release();
    await isEnding.reached;
    if (closing !== neverAnswered) await expect(late).rejects.toThrow(ProviderError);
    expect(google.open.size).toBe(2);
    await later(2);
    const settings = { ...UPKEEP, secretMark: secretMarkOf(SECRETS) };
    const everybody = { providerIds: null, connectionIds: null };
    expect(await findConnectionsToWatch(database.db, everybody, settings, 100)).toContain(connectionId);
    expect(await keep(google.port())).toBe('kept');
    expect([...google.open]).toEqual([inPlace]);
    const states = await database.sql`SELECT state FROM channels WHERE connection_id = ${connectionId} ORDER BY state`;
    expect(states.map(({ state }) => state)).toEqual(['active', 'retired']);
  });
});
