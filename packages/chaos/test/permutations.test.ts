/** Every order of created, updated, updated, cancelled, each possibly twice, through intake and calendar. */
import { randomUUID } from 'node:crypto';
import { acceptBookingIntent } from '@bookiji/db';
import { createProviderEdges } from '@bookiji/providers/adapters';
import { createSandbox, type Sandbox } from '@bookiji/sandbox';
import { type ConvergeDependencies, convergeBooking, icalUidOf } from '@bookiji/sync';
import { type BuiltConnection, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bookingTitle, type HistoryEntry, readBookingTitle, readHistory } from '../src/index.ts';
import { allOrders, newsOf } from './orders.ts';

/** Orders are dealt over so many calendars, since each of them takes one call at a time. */
const CALENDARS = 12;
/** All 6,384 orders take minutes; by default every order with at most one repeat, and every so many-th of the others. */
const EVERY = process.env.CALSYNC_FULL === '1' ? 1 : 60;
const ORDERS = allOrders().filter((order, index) => order.length <= 5 || index % EVERY === 0);
const never = new AbortController().signal;
const FIRST_HOUR = Date.UTC(2027, 0, 4, 8);

let database: TestDatabase;
let sandbox: Sandbox;
let url: string;
beforeAll(async () => {
  database = await createTestDatabase();
  sandbox = createSandbox({
    settings: {
      google: { user_requests_per_minute: null, project_requests_per_minute: null },
      microsoft: { mailbox_requests_per_10_minutes: null },
    },
  });
  ({ url } = await sandbox.listen());
  // Whoever changes a mapping's identity is refused, at whatever step.
  await database.sql.unsafe(`
    CREATE FUNCTION keep_ical_uid() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'ical_uid changed'; END $$;
    CREATE TRIGGER keep_ical_uid BEFORE UPDATE ON external_calendar_events
      FOR EACH ROW WHEN (OLD.ical_uid IS DISTINCT FROM NEW.ical_uid) EXECUTE FUNCTION keep_ical_uid();`);
});
afterAll(async () => {
  await database?.drop();
  await sandbox?.close();
});

interface Played {
  readonly bookingId: string;
  readonly providerId: string;
  readonly order: readonly number[];
}

describe.each(['google', 'microsoft'] as const)('bookings whose events arrive in every order, at %s', (provider) => {
  test('[O-1] [O-2] [O-3] show each newer version once and end as none, under one ical_uid', async () => {
    const calendars = await Promise.all(Array.from({ length: CALENDARS }, () => openCalendar(provider)));
    const played: Played[] = ORDERS.map((order, index) => ({
      bookingId: randomUUID(),
      providerId: calendars[index % CALENDARS]?.connection.providerId ?? '',
      order,
    }));
    await Promise.all(
      calendars.map(async (calendar, at) => {
        for (let index = at; index < played.length; index += CALENDARS) await play(calendar, played[index] as Played);
      }),
    );

    const history = groupByBooking(await readHistory(url));
    const rows = await database.sql`
      SELECT booking_id, ical_uid, sync_status, is_busy FROM external_calendar_events WHERE calendar_provider = ${provider}`;
    const mappings = new Map(rows.map((row) => [String(row.booking_id), row]));
    const wrong = played.filter(({ bookingId, providerId, order }) => {
      const written = (history.get(bookingId) ?? []).map(describeEntry);
      const mapping = mappings.get(bookingId);
      const isMapped =
        mapping?.ical_uid === icalUidOf(bookingId, providerId, provider) &&
        mapping?.sync_status === 'CANCELLED' &&
        mapping?.is_busy === false;
      return String(written) !== String(expectedWrites(order)) || isMapped !== newsOf(order).length > 1;
    });
    expect(wrong.map(({ order }) => order.join(' '))).toEqual([]);
  }, 300_000);
});

function describeEntry(entry: HistoryEntry): string {
  return `${entry.operation} ${readBookingTitle(entry.title)?.version}`;
}

/** One create, updates in order, one delete; nothing at all where the cancellation came first. */
function expectedWrites(order: readonly number[]): string[] {
  const shown = newsOf(order).slice(0, -1);
  const writes = shown.map((version, index) => `${index === 0 ? 'create' : 'update'} ${version}`);
  return shown.length === 0 ? [] : [...writes, `delete ${shown.at(-1)}`];
}

function groupByBooking(history: readonly HistoryEntry[]): Map<string, HistoryEntry[]> {
  const groups = new Map<string, HistoryEntry[]>();
  for (const entry of history) {
    const bookingId = readBookingTitle(entry.title)?.bookingId ?? '';
    groups.set(bookingId, [...(groups.get(bookingId) ?? []), entry]);
  }
  return groups;
}

interface OpenedCalendar {
  readonly connection: BuiltConnection;
  readonly deps: ConvergeDependencies;
}

async function openCalendar(calendarProvider: 'google' | 'microsoft'): Promise<OpenedCalendar> {
  const connection = await insertConnection(database.sql, { calendarProvider });
  const grant = await order<{ access_token: string }>('/grants', {
    calendar_provider: calendarProvider,
    email: `${connection.id}@${calendarProvider}.example`,
    client_id: 'bookiji-local',
  });
  const edges = createProviderEdges({
    GOOGLE_CLIENT_ID: 'bookiji-local',
    GOOGLE_CLIENT_SECRET: 'secret',
    GOOGLE_API_BASE_URL: url,
    GOOGLE_AUTHORIZE_URL: url,
    GOOGLE_TOKEN_URL: url,
    GOOGLE_REVOKE_URL: url,
    MICROSOFT_CLIENT_ID: 'bookiji-local',
    MICROSOFT_CLIENT_SECRET: 'secret',
    MICROSOFT_TENANT: 'common',
    MICROSOFT_GRAPH_BASE_URL: url,
    MICROSOFT_LOGIN_BASE_URL: url,
  });
  const tokens = { accessToken: async () => grant.access_token, rejected: () => undefined };
  const port = edges[calendarProvider].adapter.open({ connectionId: connection.id, calendarId: 'primary', tokens });
  const deps = {
    db: database.db,
    openCalendar: () => port,
    owner: 'permutations',
    backoff: { baseSeconds: 1, maxSeconds: 10 },
    leaseMs: 20_000,
    random: () => 0,
  };
  return { connection, deps };
}

async function order<Body>(path: string, body: unknown): Promise<Body> {
  const response = await fetch(`${url}/sandbox${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`the sandbox answered ${response.status} ${await response.text()}`);
  return (await response.json()) as Body;
}

/** As ingress and worker do it: store each event, and look whenever it was news. */
async function play({ connection, deps }: OpenedCalendar, { bookingId, order: versions }: Played): Promise<void> {
  for (const version of versions) {
    const startAt = new Date(FIRST_HOUR + version * 3_600_000);
    const accepted = await acceptBookingIntent(database.db, {
      eventId: randomUUID(),
      bookingId,
      providerId: connection.providerId,
      version,
      state: version === 4 ? 'cancelled' : 'live',
      startAt,
      endAt: new Date(startAt.getTime() + 3_600_000),
      details: { title: bookingTitle(bookingId, version), time_zone: 'UTC' },
    });
    if (!accepted.accepted) continue;
    const result = await convergeBooking(deps, { bookingId, connectionId: connection.id }, never);
    if (result.outcome === 'converged') continue;
    const [row] = await database.sql`
      SELECT version, applied_version, lease_owner, lease_until - now() AS leased_for, next_attempt_at - now() AS again_in,
             error_count, last_error, dead_at FROM booking_effects WHERE booking_id = ${bookingId}`;
    throw new Error(`version ${version} of ${versions.join(' ')}: ${result.outcome}, with ${JSON.stringify(row)}`);
  }
}
