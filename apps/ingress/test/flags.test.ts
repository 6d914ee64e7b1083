import { randomUUID } from 'node:crypto';
import { turnSwitches } from '@bookiji/db';
import { FLAG_NAMES, type FlagName } from '@bookiji/flags';
import { waitUntil } from '@bookiji/local-fleet';
import { insertConnection } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { HttpAnswer } from './http-client.ts';
import { startIngress, type TestIngress } from './ingress-harness.ts';
import { quickest } from './quickest.ts';
import { collection, GOOGLE, MICROSOFT, openSender, readRow, type Sender } from './senders.ts';

let ingress: TestIngress;
let google: Sender;
let graph: Sender;
beforeAll(async () => {
  ingress = await startIngress();
  google = await openSender(ingress.database, 'google');
  graph = await openSender(ingress.database, 'microsoft');
});
afterAll(() => ingress.close());

const beside = (flags: Record<string, string>) => startIngress({ shares: ingress.database, flags });
const sync = (at: TestIngress, { connection }: Sender) =>
  at.call('POST', '/api/calendar/sync', { provider_id: connection.providerId });
const link = (at: TestIngress) =>
  at.call('POST', '/api/calendar/connect-links', { provider_id: randomUUID(), calendar_provider: 'google' });

/** What each flag closes, asked as genuinely as can be. */
const DOORS: Readonly<Partial<Record<FlagName, readonly ((at: TestIngress) => Promise<HttpAnswer>)[]>>> = {
  CALENDAR_WEBHOOK_ENABLED: [
    (at) => at.send('POST', GOOGLE, { headers: google.headers() }),
    (at) => at.send('POST', GOOGLE, { headers: google.headers({ 'x-goog-resource-state': 'sync' }) }),
    (at) => at.send('POST', MICROSOFT, collection(graph.item())),
    (at) => at.send('POST', MICROSOFT, collection(graph.item({ lifecycleEvent: 'subscriptionRemoved' }))),
    (at) => at.send('POST', `${MICROSOFT}?validationToken=x`),
    // Off is said before anything else is looked at.
    (at) => at.send('POST', MICROSOFT, { body: '{' }),
    (at) => at.send('POST', GOOGLE, { body: 'x'.repeat(300_000) }),
  ],
  CALENDAR_SYNC_ENABLED: [(at) => sync(at, google), (at) => sync(at, graph)],
  CALENDAR_OAUTH_ENABLED: [
    link,
    (at) => at.send('GET', '/api/auth/google/calendar?token=x'),
    (at) => at.send('GET', '/api/auth/microsoft/calendar/callback?state=x&code=y'),
  ],
};

describe('a flag that is off', () => {
  test.each(Object.keys(DOORS) as FlagName[])(
    '[F-1] %s: unless it says exactly true, 403 at every door, and nothing is written',
    async (flag) => {
      for (const value of ['false', 'TRUE', ' true', 'yes', '1', '']) {
        const off = await beside({ [flag]: value });
        const before = await ingress.snapshot();
        for (const [index, ask] of (DOORS[flag] ?? []).entries()) {
          const answer = await ask(off);
          expect([flag, value, index, answer.status]).toEqual([flag, value, index, 403]);
          expect(answer.json.error.code).toMatch(/_off$/);
        }
        expect(await ingress.snapshot()).toBe(before);
        await off.close();
      }
    },
  );

  test('[F-1] closes its own doors and no others', async () => {
    for (const flag of FLAG_NAMES) {
      const others = (Object.keys(DOORS) as FlagName[]).filter((name) => name !== flag);
      const off = await beside({ [flag]: 'false' });
      for (const other of others) {
        for (const ask of DOORS[other] ?? []) expect((await ask(off)).status).not.toBe(403);
      }
      await off.close();
    }
  });

  test('[W-6][B-1] what it turned away is counted and logged', async () => {
    const off = await beside({ CALENDAR_WEBHOOK_ENABLED: 'false' });
    await off.send('POST', GOOGLE, { headers: google.headers() });
    expect(await off.outcomes('google')).toEqual({ flag_off: 1 });
    expect(off.lines.some((line) => JSON.parse(line).reason === 'webhooks_off')).toBe(true);
    await off.close();
  });
});

describe('lists', () => {
  const notify = (at: TestIngress, sender: Sender) =>
    sender.connection.calendarProvider === 'google'
      ? at.send('POST', GOOGLE, { headers: sender.headers() })
      : at.send('POST', MICROSOFT, collection(sender.item()));

  test.each([
    ['another provider', { CALENDAR_ALLOWLIST_PROVIDER_IDS: randomUUID() }],
    ['another connection', { CALENDAR_ALLOWLIST_CONNECTION_IDS: randomUUID() }],
  ])('[F-2] a list of %s alone: notifications and syncs are 403, and nothing is written', async (_, flags) => {
    const narrowed = await beside(flags);
    const before = await ingress.snapshot();
    const asks = [notify(narrowed, google), notify(narrowed, graph), sync(narrowed, google), sync(narrowed, graph)];
    const answers = await Promise.all(asks);
    expect(answers.map(({ status, json }) => [status, json.error.code])).toEqual(
      Array(4).fill([403, 'not_allowlisted']),
    );
    expect(await ingress.snapshot()).toBe(before);
    expect(await narrowed.outcomes('google')).toEqual({ not_allowlisted: 1 });
    await narrowed.close();
  });

  test('[F-2] an id must be on every list that is not empty; letters and spaces of the lists do not matter', async () => {
    const { id, providerId } = google.connection;
    const cases: [Record<string, string>, number, number][] = [
      [{ CALENDAR_ALLOWLIST_PROVIDER_IDS: ` ${providerId.toUpperCase()} ,${randomUUID()}` }, 200, 202],
      [{ CALENDAR_ALLOWLIST_CONNECTION_IDS: `${randomUUID()},${id}` }, 200, 202],
      [{ CALENDAR_ALLOWLIST_PROVIDER_IDS: providerId, CALENDAR_ALLOWLIST_CONNECTION_IDS: id }, 200, 202],
      [{ CALENDAR_ALLOWLIST_PROVIDER_IDS: providerId, CALENDAR_ALLOWLIST_CONNECTION_IDS: randomUUID() }, 403, 403],
      [{ CALENDAR_ALLOWLIST_PROVIDER_IDS: randomUUID(), CALENDAR_ALLOWLIST_CONNECTION_IDS: id }, 403, 403],
      [{ CALENDAR_ALLOWLIST_PROVIDER_IDS: ' , ', CALENDAR_ALLOWLIST_CONNECTION_IDS: '' }, 200, 202],
    ];
    for (const [flags, notified, synced] of cases) {
      const narrowed = await beside(flags);
      const statuses = [(await notify(narrowed, google)).status, (await sync(narrowed, google)).status];
      expect([flags, ...statuses]).toEqual([flags, notified, synced]);
      await narrowed.close();
    }
  });

  test('[F-2] of a provider with two connections the listed one is synced, and Graph items are judged one by one', async () => {
    const [one, other] = [
      await openSender(ingress.database, 'microsoft'),
      await openSender(ingress.database, 'microsoft'),
    ];
    const { providerId } = one.connection;
    const google = await insertConnection(ingress.database.sql, { providerId, calendarProvider: 'google' });
    const narrowed = await beside({ CALENDAR_ALLOWLIST_CONNECTION_IDS: one.connection.id });
    const queued = await sync(narrowed, one);
    expect(queued.json).toEqual({ queued: [one.connection.id] });
    expect(queued.json.queued).not.toContain(google.id);
    const batch = await narrowed.send('POST', MICROSOFT, collection(one.item(), other.item()));
    expect([batch.status, batch.json]).toEqual([200, { processed: true, accepted: 1, duplicates: 0, rejected: 1 }]);
    expect((await readRow(ingress.database, other.connection.id)).deliveries).toBe(0);
    await narrowed.close();
  });

  test('[F-2] forged is said before not listed, and not listed before unknown', async () => {
    const narrowed = await beside({ CALENDAR_ALLOWLIST_CONNECTION_IDS: randomUUID() });
    const forged = google.headers({ 'x-goog-channel-token': graph.secret });
    expect((await narrowed.send('POST', GOOGLE, { headers: forged })).status).toBe(401);
    const gone = await openSender(ingress.database, 'google');
    await ingress.database.sql`DELETE FROM external_calendar_connections WHERE id = ${gone.connection.id}`;
    expect((await notify(narrowed, gone)).status).toBe(403);
    expect((await notify(ingress, gone)).status).toBe(404);
    await narrowed.close();
  });

  test('[F-2] taken off the list it keeps its rows, and is taken in again when it is back', async () => {
    const sender = await openSender(ingress.database, 'google');
    await notify(ingress, sender);
    const kept = await readRow(ingress.database, sender.connection.id);
    const narrowed = await beside({ CALENDAR_ALLOWLIST_CONNECTION_IDS: randomUUID() });
    expect((await notify(narrowed, sender)).status).toBe(403);
    await narrowed.close();
    expect(await readRow(ingress.database, sender.connection.id)).toEqual(kept);
    expect((await notify(ingress, sender)).status).toBe(200);
  });
});

describe('switches of operators', () => {
  const turn = (isOn: boolean) =>
    turnSwitches(ingress.database.db, [
      { name: 'CALENDAR_WEBHOOK_ENABLED', isOn, changedBy: 'test', reason: 'to see what happens' },
    ]);
  /** Sent again while it is 503, as every sender does: that tells of a machine that stood still. */
  const answerTo = async (sender: Sender): Promise<number> => {
    const headers = sender.headers();
    for (;;) {
      const { status } = await ingress.send('POST', GOOGLE, { headers });
      if (status !== 503) return status;
    }
  };
  const untilAnswered = (status: number) => waitUntil(`${status}`, async () => (await answerTo(google)) === status);

  test('[F-3] off reaches a running ingress within two seconds, and so does on again', async () => {
    for (const isOn of [false, true]) {
      const tookMs = await quickest(2_000, async () => {
        await turn(!isOn);
        await untilAnswered(isOn ? 403 : 200);
        const turnedAt = performance.now();
        await turn(isOn);
        await untilAnswered(isOn ? 200 : 403);
        return performance.now() - turnedAt;
      });
      expect(tookMs).toBeLessThan(2_000);
    }
  });

  test('[F-3] turned fast under load, every answer is 200 or 403, and just the 200s are stored', async () => {
    const sender = await openSender(ingress.database, 'google');
    let isOver = false;
    const seen = new Map<number, number>();
    const storm = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const one = await answerTo(sender);
        seen.set(one, (seen.get(one) ?? 0) + 1);
      }
    });
    const hasSeen = (one: number, count: number) => waitUntil(`${one}`, () => (seen.get(one) ?? 0) > count);
    for (let round = 0; round < 3; round += 1) {
      for (let flips = 0; flips < 10; flips += 1) await turn(flips % 2 === 0);
      await turn(false);
      await hasSeen(403, seen.get(403) ?? 0);
      await turn(true);
      await hasSeen(200, seen.get(200) ?? 0);
    }
    isOver = true;
    await Promise.all(storm);
    expect([...seen.keys()].sort()).toEqual([200, 403]);
    expect((await readRow(ingress.database, sender.connection.id)).deliveries).toBe(seen.get(200));
  });

  test('[F-1] no operator can turn on what the environment does not', async () => {
    await turn(true);
    const off = await beside({ CALENDAR_WEBHOOK_ENABLED: 'false' });
    expect((await off.send('POST', GOOGLE, { headers: google.headers() })).status).toBe(403);
    await off.close();
  });
});
