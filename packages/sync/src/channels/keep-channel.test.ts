/** Two processes look after the push registration of one mailbox, of which Graph allows one. */
import { randomUUID } from 'node:crypto';
import { findConnection } from '@bookiji/db';
import { type CalendarPort, ProviderError } from '@bookiji/providers/contract';
import { createFakeCalendar, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
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
  throw new ProviderError({
    ...{ kind, calendarProvider: 'microsoft', operation, status: 409, reason: kind },
    ...{ retryAfterMs: null, requestId: null, outcomeUnknown: false },
  });
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

async function keep(port: CalendarPort) {
  const connection = await findConnection(database.db, connectionId);
  if (connection === null) throw new Error('the connection is gone');
  const upkeep = { renewBeforeSeconds: 86_400, silentAfterSeconds: 86_400 };
  const deps = { db: database.db, port, secrets: ['a secret of the test'], notificationUrl: URL_OF_OURS, ...upkeep };
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
