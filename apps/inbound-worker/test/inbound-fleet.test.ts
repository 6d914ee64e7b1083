/** Inbound on a running fleet, over HTTP alone; the tables are only read, to see what was kept. */
import { randomUUID } from 'node:crypto';
import { type CalendarProvider, requestJson, type Slot, waitUntil } from '@bookiji/local-fleet';
import { channelSecret } from '@bookiji/sync';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type ConnectedProvider,
  type RunningFleet,
  slotAt,
  startTestFleet,
  untilFree,
} from '../../../packages/local-fleet/test/fleet-harness.ts';
import { describeSender, GOOGLE, MICROSOFT, type Sender } from '../../ingress/test/senders.ts';
import { findText } from './find-text.ts';

const LONG = 240_000;
const PROVIDERS: readonly CalendarProvider[] = ['google', 'microsoft'];
/** Stands in everything of an event that is none of our business. */
const CANARY = `canary${randomUUID().replaceAll('-', '')}`;
const PRIVATE = {
  title: `${CANARY} title`,
  description: `${CANARY} description`,
  location: `${CANARY} location`,
  organizer: { email: `${CANARY}@organizer.example`, name: `${CANARY} organizer` },
  attendees: [{ email: `${CANARY}@guest.example`, name: `${CANARY} guest` }],
};

let fleet: RunningFleet;
const people = new Map<CalendarProvider, ConnectedProvider>();
beforeAll(async () => {
  // Nothing is looked at without being asked, so that every look has its reason.
  fleet = await startTestFleet({ REDIS_URL: '', RECONCILE_INTERVAL_SECONDS: '3000' });
  for (const provider of PROVIDERS) people.set(provider, await fleet.connect(provider));
}, LONG);
afterAll(() => fleet?.close(), LONG);

interface SyncRow {
  readonly mode: string;
  readonly outcome: string;
  readonly requested_by: string;
  readonly pages: number;
  readonly put_count: number;
  readonly dropped_count: number;
}

describe.each(PROVIDERS)('a calendar at %s', (provider) => {
  const listing = provider === 'google' ? 'events.list' : 'events.delta';
  let dana: ConnectedProvider;
  let sender: Sender;
  beforeAll(async () => {
    dana = people.get(provider) as ConnectedProvider;
    sender = await genuineSender();
    await quiet();
  });

  /** Sends what the calendar provider would send about the channel that it was given. */
  async function genuineSender(): Promise<Sender> {
    const [channel] = await fleet.database.sql`
      SELECT id, resource_id, subscription_id FROM channels WHERE connection_id = ${dana.connectionId} AND state = 'active'`;
    const secret = channelSecret(provider, channel?.id, (fleet.environment.CHANNEL_SECRETS ?? '').split(','));
    const connection = { id: dana.connectionId, providerId: dana.providerId, calendarProvider: provider };
    return describeSender(connection, channel?.id, secret, {
      resourceId: channel?.resource_id,
      subscriptionId: channel?.subscription_id,
    });
  }

  /** One more notification, as it may be sent again and again. */
  function nextNotification(): () => Promise<{ status: number; body: Record<string, unknown> }> {
    const url = `${fleet.urls.ingress}${provider === 'google' ? GOOGLE : MICROSOFT}`;
    const unique = String(1_000_000 + Math.floor(Math.random() * 1e9));
    if (provider === 'google') {
      const headers = sender.headers({ 'x-goog-message-number': unique });
      return () => requestJson(url, { method: 'POST', headers });
    }
    const body = { value: [sender.item({ id: randomUUID() })] };
    return () => requestJson(url, { method: 'POST', body });
  }

  const row = async () => {
    const [found] = await fleet.database.sql`
      SELECT requested::int, applied::int, sync_needed, last_synced_at::text, sync_cursor, error_count, last_error,
             backoff_until IS NOT NULL AS backs_off, last_webhook_received_at::text,
             (SELECT count(*)::int FROM deliveries d WHERE d.connection_id = c.id) AS deliveries
        FROM external_calendar_connections c WHERE id = ${dana.connectionId}`;
    if (found === undefined) throw new Error('no such connection');
    return found;
  };
  const quiet = () => waitUntil('nothing to do', async () => !(await row()).sync_needed, 60_000);
  const runs = () => fleet.database.sql<SyncRow[]>`
    SELECT mode, outcome, requested_by, pages, put_count, dropped_count FROM sync_runs
     WHERE connection_id = ${dana.connectionId} ORDER BY id`;
  const intervals = async () => {
    const rows = await fleet.database.sql`
      SELECT external_event_id, start_time::text, end_time::text, is_busy, checksum, booking_id FROM external_calendar_events
       WHERE connection_id = ${dana.connectionId} AND is_busy ORDER BY start_time`;
    return rows.map((one) => ({ ...one }));
  };
  const callsToProvider = async (operation = listing) => {
    const { recent } = await fleet.sandbox.order<{ recent: { user: string | null; operation: string }[] }>(
      'GET',
      `/requests?operation=${operation}&recent=2000`,
    );
    return recent.filter(({ user }) => user === dana.calendar.email).length;
  };
  const silence = async (silent: boolean) => {
    const channel = provider === 'google' ? sender.channelId : sender.subscriptionId;
    await fleet.sandbox.order('POST', '/channels/silence', { channel, silent });
  };

  test(
    '[W-5] a hundred identical deliveries within a second: a hundred times 200, one sync, one look at the calendar',
    async () => {
      const [runsBefore, before] = [(await runs()).length, await row()];
      await fleet.sandbox.order('DELETE', '/requests');
      const send = nextNotification();
      const startedAt = performance.now();
      const answers = await Promise.all(Array.from({ length: 100 }, send));
      const tookMs = performance.now() - startedAt;
      expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
      expect(answers.filter(({ body }) => body.reason === 'duplicate')).toHaveLength(99);
      await quiet();
      // One more of another kind, as a mark: what the storm asked for is over when this one is done.
      await nextNotification()();
      await waitUntil('the mark', async () => (await runs()).length > runsBefore + 1);
      await quiet();
      const made = (await runs()).slice(runsBefore);
      expect(made.map(({ outcome, requested_by }) => [outcome, requested_by])).toEqual(
        Array(2).fill(['synced', 'webhook']),
      );
      expect(await callsToProvider()).toBe(2);
      expect((await row()).deliveries).toBe(before.deliveries + 2);
      expect(tookMs).toBeLessThan(30_000);
    },
    LONG,
  );

  test(
    '[W-5] ten different ones at once are all recorded, and are worth ten syncs at most',
    async () => {
      const [runsBefore, before] = [(await runs()).length, await row()];
      const answers = await Promise.all(Array.from({ length: 10 }, () => nextNotification()()));
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
      await quiet();
      expect((await row()).deliveries).toBe(before.deliveries + 10);
      const made = (await runs()).length - runsBefore;
      expect(made).toBeGreaterThanOrEqual(1);
      expect(made).toBeLessThanOrEqual(10);
    },
    LONG,
  );

  test(
    '[I-1] [I-2] a change is fetched alone and stored as busy time, in UTC, with nothing of what it is about',
    async () => {
      const others = await intervals();
      await fleet.sandbox.order('DELETE', '/requests');
      const runsBefore = (await runs()).length;
      const before = await row();
      const event = await fleet.sandbox.addEvent(dana.calendar, { ...PRIVATE, ...slotAt(30) });
      await waitUntil('the interval', async () => (await intervals()).length > others.length);
      await quiet();
      const [made] = (await runs()).slice(runsBefore);
      expect(made).toMatchObject({
        mode: 'incremental',
        outcome: 'synced',
        requested_by: 'webhook',
        put_count: 1,
        pages: 1,
      });
      const [stored] = (await intervals()).filter(({ external_event_id }) => external_event_id === event.id);
      expect(stored).toMatchObject({ is_busy: true, booking_id: null, checksum: expect.stringMatching(/./) });
      const { start, end } = slotAt(30);
      expect([stored?.start_time, stored?.end_time].map((text) => new Date(text).toISOString())).toEqual([start, end]);
      const after = await row();
      expect(Date.parse(after.last_synced_at)).toBeGreaterThan(Date.parse(before.last_synced_at));
      expect(Date.parse(after.last_webhook_received_at)).toBeGreaterThan(Date.parse(before.last_webhook_received_at));
      expect(await callsToProvider('events.get')).toBe(0);
      await fleet.sandbox.deleteEvent(dana.calendar, event.id);
      await waitUntil('its end', async () => (await intervals()).length === others.length);
    },
    LONG,
  );

  test(
    '[I-4] what nobody announced waits for a reason to look; asked for by hand it is there',
    async () => {
      await silence(true);
      const runsBefore = (await runs()).length;
      const slots = [slotAt(40), slotAt(41)];
      const event = await fleet.sandbox.addEvent(dana.calendar, { ...PRIVATE, ...slotAt(40) });
      await nothingHappens();
      expect((await runs()).length).toBe(runsBefore);
      const asked = await fleet.ingress.request<{ queued: string[] }>('POST', '/api/calendar/sync', {
        provider_id: dana.providerId,
      });
      expect([asked.status, asked.body]).toEqual([202, { queued: [dana.connectionId] }]);
      await untilFree(fleet, dana.providerId, slots, [slotAt(41)]);
      expect((await runs()).at(-1)).toMatchObject({ requested_by: 'manual', put_count: 1 });
      await fleet.sandbox.deleteEvent(dana.calendar, event.id);
      await silence(false);
    },
    LONG,
  );

  /** As long as the fleet takes to look for due work several times. */
  async function nothingHappens(): Promise<void> {
    const seen = new Set<string>();
    await waitUntil(
      'some sweeps',
      async () => {
        const { body } = await requestJson<string>(`${fleet.urls['retry-worker']}/metrics`);
        seen.add(/sweep_last_success_timestamp_seconds\{[^}]*due_connections[^}]*\} (\S+)/.exec(body)?.[1] ?? '');
        return seen.size > 3;
      },
      60_000,
    );
  }

  test(
    '[I-4] a caller who wants the newest gets it by one live look; when it fails, no promise',
    async () => {
      await silence(true);
      const question = { provider_id: dana.providerId, slots: [slotAt(40), slotAt(42)], max_age_seconds: 0 };
      const ask = async () =>
        (await fleet.ingress.request<Answer>('POST', '/api/calendar/availability', question)).body;
      const event = await fleet.sandbox.addEvent(dana.calendar, { ...PRIVATE, ...slotAt(42) });
      // A look that took too long promises nothing; one that promises shows the newest.
      const trusted = await waitUntil('a look in time', async () => {
        const answer = await ask();
        return answer.trusted && answer;
      });
      expect(trusted).toMatchObject({ free: [slotAt(40)], busy: [slotAt(42)] });
      await fleet.sandbox.deleteEvent(dana.calendar, event.id);
      await fleet.sandbox.order('POST', '/faults', { operation: listing, status: 503 });
      const answer = await ask();
      expect([answer.trusted, answer.evidence[0]?.fresh]).toEqual([false, false]);
      expect(answer.busy).toEqual([slotAt(42)]);
      await fleet.sandbox.order('DELETE', '/faults');
      await silence(false);
      await waitUntil('recovery', async () => (await ask()).trusted, 90_000);
    },
    LONG,
  );

  test(
    '[I-5] a calendar provider that fails leaves all as it was and says so; when it is back, the change follows by itself',
    async () => {
      await quiet();
      const [before, held] = [await row(), await intervals()];
      await fleet.sandbox.order('POST', '/faults', { operation: listing, status: 500 });
      const event = await fleet.sandbox.addEvent(dana.calendar, { ...PRIVATE, ...slotAt(50) });
      const failing = await waitUntil(
        'a second failure',
        async () => {
          const now = await row();
          return now.error_count >= 2 && now.backs_off && now;
        },
        90_000,
      );
      expect(failing).toMatchObject({
        sync_needed: true,
        last_synced_at: before.last_synced_at,
        sync_cursor: before.sync_cursor,
      });
      expect(failing.last_error).toMatchObject({ kind: 'transient', status: 500 });
      expect(await intervals()).toEqual(held);
      const [shown] = await fleet.ingress.connections(dana.providerId);
      expect(shown).toMatchObject({ status: 'active', sync_needed: true, last_error: { kind: 'transient' } });
      expect(shown?.backoff_until).toEqual(expect.any(String));
      await fleet.sandbox.order('DELETE', '/faults');
      await waitUntil(
        'the change',
        async () => (await intervals()).some(({ external_event_id }) => external_event_id === event.id),
        60_000,
      );
      await quiet();
      expect(await row()).toMatchObject({ error_count: 0, last_error: null, backs_off: false, sync_needed: false });
      await fleet.sandbox.deleteEvent(dana.calendar, event.id);
      await waitUntil('its end', async () => (await intervals()).length === held.length);
    },
    LONG,
  );

  test(
    '[W-7] a notification that comes while ingress is down is sent again by the calendar provider, and counts once',
    async () => {
      await quiet();
      const before = await row();
      const held = await intervals();
      fleet.kill('ingress', 'SIGKILL');
      const event = await fleet.sandbox.addEvent(dana.calendar, { ...PRIVATE, ...slotAt(60) });
      await waitUntil('the interval', async () => (await intervals()).length === held.length + 1, 60_000);
      await quiet();
      expect((await row()).deliveries).toBe(before.deliveries + 1);
      await fleet.ready();
      await fleet.sandbox.deleteEvent(dana.calendar, event.id);
      await waitUntil('its end', async () => (await intervals()).length === held.length);
    },
    LONG,
  );
});

interface Answer {
  readonly free: readonly Slot[];
  readonly busy: readonly Slot[];
  readonly trusted: boolean;
  readonly evidence: readonly { readonly fresh: boolean }[];
}

describe('twenty thousand events, read afresh', () => {
  const COUNT = 20_000;
  const SPACING_MINUTES = 6;
  const HOUR = 10;

  test(
    '[I-1] [I-3] asked a hundred times a second meanwhile, no answer shows less than both truths have in common',
    async () => {
      const erin = await fleet.connect('google');
      const from = slotAt(0).start;
      const events = `/calendars/google/${encodeURIComponent(erin.calendar.email)}/events`;
      const startOf = (index: number) => Date.parse(from) + index * SPACING_MINUTES * 60_000;
      const wish = { from, spacing_minutes: SPACING_MINUTES, duration_minutes: 3, title: PRIVATE.title };
      await fleet.sandbox.order('POST', `${events}/fill`, { ...wish, count: COUNT });
      const countStored = async () => {
        const [found] = await fleet.database.sql`
        SELECT count(*)::int AS n FROM external_calendar_events WHERE connection_id = ${erin.connectionId}`;
        return found?.n;
      };
      await waitUntil('the first sync', async () => (await countStored()) === COUNT, LONG);

      // Behind the back of the cursor: some go, some move by an hour and more; then the cursor itself.
      const { events: all } = await fleet.sandbox.order<{ events: { id: string; start: string }[] }>('GET', events);
      const changed = new Set(Array.from({ length: 40 }, (_, turn) => turn * 17 + 3));
      for (const index of changed) {
        const path = `${events}/${all[index]?.id}`;
        if (index % 2 === 0) await fleet.sandbox.order('DELETE', path);
        else await fleet.sandbox.order('PATCH', path, { start: new Date(startOf(index + COUNT)).toISOString() });
      }
      await waitUntil('quiet', async () => !(await isNeeded(erin.connectionId)), LONG);

      await fleet.sandbox.order('POST', '/cursors/expire', { email: erin.calendar.email });
      const readsBefore = await countFullReads(erin.connectionId);
      const asking = askOften(erin, startOf, changed);
      const asked = await fleet.ingress.request('POST', '/api/calendar/sync', { provider_id: erin.providerId });
      expect(asked.status).toBe(202);
      await waitUntil(
        'the second full read',
        async () => (await countFullReads(erin.connectionId)) > readsBefore,
        LONG,
      );
      const { answers, busiest, missing } = await asking.stop();
      expect(missing).toEqual([]);
      // Fewer on a machine that is busy with other things as well; enough to have met the change.
      expect(answers).toBeGreaterThan(20);
      expect(busiest).toBeGreaterThanOrEqual(8);
    },
    LONG,
  );

  const isNeeded = async (id: string) => {
    const [found] = await fleet.database.sql`SELECT sync_needed FROM external_calendar_connections WHERE id = ${id}`;
    return found?.sync_needed;
  };
  const countFullReads = async (id: string) => {
    const [found] = await fleet.database.sql`
      SELECT count(*)::int AS n FROM sync_runs WHERE connection_id = ${id} AND mode = 'full' AND outcome = 'synced'`;
    return found?.n;
  };

  /** A question every ten milliseconds, about an hour somewhere near the changes; each answer is held against what stays. */
  function askOften(erin: ConnectedProvider, startOf: (index: number) => number, changed: ReadonlySet<number>) {
    let [answers, busiest, isOver] = [0, 0, false];
    const missing: string[] = [];
    const underway = new Set<Promise<void>>();
    const askOnce = async (number: number) => {
      const first = (number * 37) % 700;
      const slot = {
        start: new Date(startOf(first)).toISOString(),
        end: new Date(startOf(first + HOUR)).toISOString(),
      };
      const { body } = await fleet.ingress.request<Answer>('POST', '/api/calendar/availability', {
        provider_id: erin.providerId,
        slots: [slot],
      });
      answers += 1;
      busiest = Math.max(busiest, body.busy.length);
      for (let index = first; index < first + HOUR; index += 1) {
        if (changed.has(index)) continue;
        const at = new Date(startOf(index)).toISOString();
        const isShown = body.busy.some(({ start, end }) => start <= at && Date.parse(end) >= startOf(index) + 180_000);
        if (!isShown) missing.push(`${at} in answer ${number}`);
      }
    };
    let number = 0;
    const timer = setInterval(() => {
      if (isOver || underway.size > 40) return;
      const one = askOnce(number++).finally(() => underway.delete(one));
      underway.add(one);
    }, 10);
    return {
      async stop() {
        isOver = true;
        clearInterval(timer);
        await Promise.all(underway);
        return { answers, busiest, missing };
      },
    };
  }
});

describe('what is kept', () => {
  // Events of the search's own: alone, it would look through a fleet that never saw anything private.
  beforeAll(async () => {
    for (const { calendar, providerId } of people.values()) {
      await fleet.sandbox.addEvent(calendar, { ...PRIVATE, ...slotAt(70) });
      await untilFree(fleet, providerId, [slotAt(70), slotAt(71)], [slotAt(71)]);
    }
  }, LONG);

  const secrets = () => {
    const { API_TOKENS, OPS_TOKENS, CHANNEL_SECRETS, TOKEN_ENCRYPTION_KEYS, GOOGLE_CLIENT_SECRET } = fleet.environment;
    return [API_TOKENS, OPS_TOKENS, CHANNEL_SECRETS, TOKEN_ENCRYPTION_KEYS?.split(':')[1], GOOGLE_CLIENT_SECRET].map(
      (secret) => secret ?? 'missing',
    );
  };

  test(
    '[B-3] no text and no JSON in the database holds a title, a guest, a description or a token',
    async () => {
      // How the sandbox's access tokens, refresh tokens and codes begin.
      const tokens = ['ya29.', '1//0', 'EwB', '0.AX', '4/0A'];
      expect(await findText(fleet.database, [CANARY, ...tokens, ...secrets()])).toEqual([]);
      expect(fleet.lines.filter(({ line }) => line.includes(CANARY))).toEqual([]);
    },
    LONG,
  );

  test(
    '[B-3] the search would have found it, wherever it were',
    async () => {
      const { sql } = fleet.database;
      const json = (value: object) => sql`${JSON.stringify(value)}::text::jsonb`;
      await sql`UPDATE external_calendar_connections
                   SET last_error = ${json({ deep: [{ er: `x ${CANARY}` }] })}, granted_scopes = ARRAY[${CANARY}],
                       status_reason = ${CANARY}`;
      await sql`INSERT INTO audit_log (actor, action, subject, details)
                VALUES ('x', 'x', 'x', ${json({ message: CANARY })})`;
      expect(await findText(fleet.database, [CANARY])).toEqual([
        'audit_log.details',
        'external_calendar_connections.granted_scopes',
        'external_calendar_connections.last_error',
        'external_calendar_connections.status_reason',
      ]);
    },
    LONG,
  );
});
