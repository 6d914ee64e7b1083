/** What goes on while a process is struck: something that makes it pass the point, and something newer meanwhile. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BookingEventType, makeBookingEvent, waitUntil } from '@bookiji/local-fleet';
import { insertIntoOutbox } from '@bookiji/queues';
import type { Ledger } from '../audit/ledger.ts';
import { bookingTitle } from '../history.ts';
import type { Stage } from '../stage/open-stage.ts';
import type { Desk } from '../workload/connect-calendars.ts';
import type { ScenarioName } from './failpoint-cases.ts';

export interface Scenario {
  /** A text by which the probe tells this scenario's calls from others. */
  readonly match: string;
  /** What must be so before; then the trigger can be pulled. */
  prepare(): Promise<void>;
  /** Makes the product do it; pulled again when nothing passed the point. */
  trigger(): Promise<void>;
  /** What happens while the struck process stands still: newer, so that its own work is old when it wakes. */
  supersede(): Promise<void>;
  /** Everything asked for so far is done, as the tables have it. */
  isDone(): Promise<boolean>;
  /** The rows that `isDone` looks at, for whoever asks why it never came true. */
  describe(): Promise<unknown>;
  /** Takes back what was ordered and did not strike. */
  clear(): Promise<void>;
}

type Door = 'queue' | 'http' | 'outbox';

const HOUR_MS = 3_600_000;
const PUBLISH_TRIES = 10;
/** Longer than anybody who was struck stands still, and than others take to do its work. */
const PREPARED_WITHIN_MS = 120_000;
const LIST_OPERATIONS = { google: 'events.list', microsoft: 'events.delta' } as const;
const CURSOR_REASONS = { google: 'fullSyncRequired', microsoft: 'syncStateNotFound' } as const;

export function createScenario(name: ScenarioName, stage: Stage, ledger: Ledger, desk: Desk): Scenario {
  switch (name) {
    case 'booking_made':
      return bookingScenario(stage, ledger, desk, { made: false });
    case 'booking_made_over_http':
      return bookingScenario(stage, ledger, desk, { made: false, door: 'http' });
    case 'booking_made_in_outbox':
      return bookingScenario(stage, ledger, desk, { made: false, door: 'outbox' });
    case 'booking_moved':
      return bookingScenario(stage, ledger, desk, { made: true });
    case 'booking_cancelled':
      return bookingScenario(stage, ledger, desk, { made: true, cancels: true });
    case 'create_unanswered':
      return bookingScenario(stage, ledger, desk, { made: false, fault: { lost_answer: true } });
    case 'create_refused':
      return bookingScenario(stage, ledger, desk, { made: false, fault: { status: 503 } });
    case 'token_expired':
      return bookingScenario(stage, ledger, desk, { made: true, expiresTokens: true });
    case 'owner_writes':
      return ownerScenario(stage, desk, 1);
    case 'owner_writes_much':
      return ownerScenario(stage, desk, 12);
    case 'cursor_expires': {
      const reason = CURSOR_REASONS[desk.calendar.calendarProvider];
      return ownerScenario(stage, desk, 12, { page: 2, status: 410, reason });
    }
    case 'sync_refused':
      return ownerScenario(stage, desk, 1, { status: 503 });
    case 'channel_missing':
      return channelScenario(stage, desk);
  }
}

interface BookingWishes {
  /** The booking stands in the calendar before. */
  readonly made: boolean;
  readonly cancels?: boolean;
  readonly door?: Door;
  /** What the create meets, once. */
  readonly fault?: Readonly<Record<string, unknown>>;
  readonly expiresTokens?: boolean;
}

function bookingScenario(stage: Stage, ledger: Ledger, desk: Desk, wishes: BookingWishes): Scenario {
  const bookingId = randomUUID();
  const faults = new Faults(stage, desk);
  let version = 0;
  const hand = async (type: BookingEventType) => {
    version += 1;
    const startMs = firstHour() + Math.floor(Math.random() * 500) * HOUR_MS;
    const endMs = startMs + HOUR_MS;
    const state = type === 'booking.cancelled' ? 'cancelled' : 'live';
    ledger.note(bookingId, desk.providerId, { version, state, startMs, endMs });
    const slot = { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
    const title = bookingTitle(bookingId, version);
    await handIn(stage, wishes.door ?? 'queue', {
      bookingId,
      providerId: desk.providerId,
      version,
      type,
      slot,
      title,
    });
  };
  const isDone = async () => {
    const [row] = await stage.sql<{ done: boolean }[]>`
      SELECT applied_version = ${version} AND version = ${version} AND inspected = inspect_requested AS done
        FROM booking_effects WHERE booking_id = ${bookingId}`;
    return row?.done === true;
  };
  return {
    match: bookingId,
    clear: faults.clear,
    async prepare() {
      if (!wishes.made) return;
      await hand('booking.created');
      await waitUntil('the booking to stand in the calendar', isDone, PREPARED_WITHIN_MS, 30);
    },
    async trigger() {
      if (wishes.expiresTokens === true) await stage.sandbox.order('POST', '/tokens/expire', whose(desk));
      if (wishes.fault !== undefined) await faults.order('events.insert', wishes.fault);
      if (wishes.cancels === true && version > 1) await hand('booking.updated');
      await hand(wishes.cancels === true ? 'booking.cancelled' : version === 0 ? 'booking.created' : 'booking.updated');
    },
    supersede: () => hand('booking.updated'),
    isDone,
    describe: () => stage.sql`
      SELECT ${version}::int AS wanted, version, applied_version, inspect_requested, inspected, lease_owner, lease_token,
             lease_until - now() AS leased_for, next_attempt_at - now() AS again_in, error_count, last_error, dead_at
        FROM booking_effects WHERE booking_id = ${bookingId}`,
  };
}

async function handIn(stage: Stage, door: Door, wish: Parameters<typeof makeBookingEvent>[0]): Promise<void> {
  const event = makeBookingEvent(wish);
  if (door === 'queue') return untilPublished(stage, event);
  if (door === 'outbox') return void (await stage.sql.begin((tx) => insertIntoOutbox(tx, event)));
  await untilAccepted(stage, event);
}

/** A busy Redis may not answer in time; who publishes tries again. */
async function untilPublished(stage: Stage, event: ReturnType<typeof makeBookingEvent>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await stage.desk.publish(event);
    } catch (error) {
      if (tries === PUBLISH_TRIES) throw error;
      await sleep(100);
    }
  }
}

/**
 * A booking service asks again until it has an answer, whoever dies meanwhile.
 *
 * @throws Error when the event is refused, which asking again would not change, or nobody took it in time.
 */
export async function untilAccepted(
  stage: Pick<Stage, 'ingress' | 'environment'>,
  event: unknown,
  withinMs = PREPARED_WITHIN_MS,
): Promise<void> {
  const isAccepted = async () => {
    const response = await post(stage, event).catch(() => null);
    if (response !== null && !response.ok && response.status < 500)
      throw new Error(`a booking event was answered ${response.status}`);
    return response?.ok;
  };
  await waitUntil('a booking event to be accepted', isAccepted, withinMs, 100);
}

async function post({ ingress, environment }: Pick<Stage, 'ingress' | 'environment'>, event: unknown) {
  const response = await fetch(`${ingress.url}/api/calendar/booking-events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${environment.API_TOKENS}`, 'content-type': 'application/json' },
    body: JSON.stringify(event),
    signal: AbortSignal.timeout(3_000),
  });
  await response.arrayBuffer();
  return response;
}

function ownerScenario(stage: Stage, desk: Desk, count: number, fault?: Readonly<Record<string, unknown>>): Scenario {
  const faults = new Faults(stage, desk);
  let lastId = '';
  const write = async (many: number) => {
    for (let made = 0; made < many; made += 1) {
      const start = firstHour() + Math.floor(Math.random() * 500) * HOUR_MS;
      const wish = { start: new Date(start).toISOString(), end: new Date(start + HOUR_MS).toISOString() };
      lastId = (await stage.sandbox.addEvent(desk.calendar, { title: 'Own time', ...wish })).id;
    }
  };
  return {
    match: desk.connectionId,
    clear: faults.clear,
    prepare: async () => undefined,
    async trigger() {
      if (fault !== undefined) await faults.order(LIST_OPERATIONS[desk.calendar.calendarProvider], fault);
      // Several pages are told of at once, or each event would be fetched before the next one is there.
      if (count > 1) await withhold(stage, desk, count - 1);
      await write(count);
    },
    async supersede() {
      const start = firstHour() + 600 * HOUR_MS;
      if (lastId === '') return;
      const change = { start: new Date(start).toISOString(), end: new Date(start + HOUR_MS).toISOString() };
      await stage.sandbox.changeEvent(desk.calendar, lastId, change);
    },
    async isDone() {
      const [row] = await stage.sql<{ done: boolean }[]>`
        SELECT requested = applied AND EXISTS (SELECT FROM external_calendar_events e
                 WHERE e.connection_id = c.id AND e.external_event_id = ${lastId}) AS done
          FROM external_calendar_connections c WHERE id = ${desk.connectionId}`;
      return row?.done === true;
    },
    describe: async () => ({
      sent: await lastNotifications(stage, desk),
      rows: await stage.sql`
      SELECT requested, applied, requested_by, notified_at - now() AS notified, lease_owner, lease_token,
             lease_until - now() AS leased_for, backoff_until - now() AS again_in, last_synced_at - now() AS synced,
             error_count, last_error, sync_cursor,
             EXISTS (SELECT FROM external_calendar_events WHERE external_event_id = ${lastId}) AS is_stored,
             (SELECT json_agg(json_build_array(state, updated_at - now())) FROM channels WHERE connection_id = c.id) AS channels
        FROM external_calendar_connections c WHERE id = ${desk.connectionId}`,
    }),
  };
}

async function withhold({ sandbox }: Stage, { calendar }: Desk, times: number): Promise<void> {
  const { calendarProvider: provider, email: user } = calendar;
  await sandbox.order('POST', '/notification-faults', { action: 'drop', provider, user, times });
}

/** What was sent about a calendar last, and how it was answered. */
async function lastNotifications({ sql, sandbox }: Stage, desk: Desk): Promise<unknown> {
  const rows = await sql<{ id: string; subscription: string | null }[]>`
    SELECT id, subscription_id AS subscription FROM channels WHERE connection_id = ${desk.connectionId}`;
  const ids = rows.flatMap(({ id, subscription }) => [id, subscription ?? id]);
  const { notifications } = await sandbox.order<{ notifications: { channels: string[] }[] }>(
    'GET',
    '/notifications?limit=5000',
  );
  return notifications.filter(({ channels }) => channels.some((id) => ids.includes(id))).slice(-4);
}

function channelScenario(stage: Stage, desk: Desk): Scenario {
  const { sql } = stage;
  return {
    match: desk.connectionId.replaceAll('-', ''),
    clear: async () => undefined,
    prepare: async () => undefined,
    trigger: async () => void (await sql`DELETE FROM channels WHERE connection_id = ${desk.connectionId}`),
    supersede: async () => undefined,
    async isDone() {
      const [row] = await sql<{ active: number; others: number }[]>`
        SELECT count(*) FILTER (WHERE state = 'active')::int AS active,
               count(*) FILTER (WHERE state = 'registering')::int AS others
          FROM channels WHERE connection_id = ${desk.connectionId} AND state <> 'retired'`;
      if (row?.active === 1 && row.others === 0) return true;
      // An hour passes: what was tried is tried again, what was not answered has lost its answer.
      await sql`UPDATE channels SET looked_after_at = now() - interval '2 hours', updated_at = now() - interval '2 hours'
                 WHERE connection_id = ${desk.connectionId} AND state = 'registering'`;
      await sql`UPDATE channels SET looked_after_at = now() - interval '2 hours'
                 WHERE connection_id = ${desk.connectionId}`;
      return false;
    },
    describe: () => sql`
      SELECT state, created_at - now() AS made, updated_at - now() AS changed FROM channels
       WHERE connection_id = ${desk.connectionId}`,
  };
}

function whose({ calendar }: Desk) {
  return { calendar_provider: calendar.calendarProvider, email: calendar.email };
}

/** Orders faults for one calendar, each to strike once. */
class Faults {
  readonly #stage: Stage;
  readonly #desk: Desk;
  readonly #ids: number[] = [];

  constructor(stage: Stage, desk: Desk) {
    this.#stage = stage;
    this.#desk = desk;
  }

  async order(operation: string, what: Readonly<Record<string, unknown>>): Promise<void> {
    const { calendarProvider: provider, email: user } = this.#desk.calendar;
    const wish = { provider, user, operation, times: 1, ...what };
    this.#ids.push((await this.#stage.sandbox.order<{ id: number }>('POST', '/faults', wish)).id);
  }

  readonly clear = async (): Promise<void> => {
    for (const id of this.#ids.splice(0)) await this.#stage.sandbox.order('DELETE', `/faults?id=${id}`);
  };
}

/** Tomorrow, the full hour: inside everybody's window. */
function firstHour(): number {
  return Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + 24 * HOUR_MS;
}
