/** Channels in trouble, at both calendar providers: silent, refused, lost, removed; and what is known without any. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { findConnection, requestDisconnect } from '@bookiji/db';
import { createIngressClient, type SandboxEvent } from '@bookiji/local-fleet';
import { ProviderError } from '@bookiji/providers/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { API_TOKEN, CHANNEL_SECRETS } from './ingress-harness.ts';
import { startWatchStage, type WatchedCalendar, type WatchStage } from './watched-calendars.ts';

// Far more than they take, for machines that are busy with other things.
jest.setTimeout(90_000);

const RECONCILE = 300;
const SILENT_AFTER = 3 * RECONCILE;
const HOUR = 3_600;

let stage: WatchStage;
beforeAll(async () => {
  stage = await startWatchStage({
    renewBeforeSeconds: 24 * HOUR,
    reconcileSeconds: RECONCILE,
    silentAfterSeconds: SILENT_AFTER,
    futureDays: 90,
  });
}, 180_000);
afterAll(() => stage?.close(), 180_000);
beforeEach(() => stage.sandbox.order('DELETE', '/faults'));

let hour = 24;
/** Another hour each time, so that no two events are the same. */
function soon(): Date {
  hour += 1;
  return new Date(stage.now().getTime() + hour * HOUR * 1000);
}

const addSilently = ({ calendar }: WatchedCalendar): Promise<SandboxEvent> => {
  const start = soon();
  const end = new Date(start.getTime() + 1_800_000);
  return stage.sandbox.addEvent(calendar, { start: start.toISOString(), end: end.toISOString() });
};
/** As the fleet does when nothing is announced: the interval passes, and a look is due. */
async function letReconcile(watched: WatchedCalendar): Promise<void> {
  await stage.advance(RECONCILE + 1);
  await watched.reconcile();
  expect(await watched.sync()).toMatchObject({ outcome: 'synced' });
}
const expectInStep = async (watched: WatchedCalendar) => {
  const { stored, shown } = await watched.compare();
  expect(stored).toEqual(shown);
};
const only = async (watched: WatchedCalendar) => {
  const channels = await watched.channels();
  expect(channels).toHaveLength(1);
  return channels[0]?.channel_id ?? '';
};
const strike = (watched: WatchedCalendar, fault: object) =>
  stage.sandbox.order('POST', '/faults', { user: watched.calendar.email, ...fault });

describe.each(['google', 'microsoft'] as const)('a channel at %s', (calendarProvider) => {
  const OPEN = calendarProvider === 'google' ? 'events.watch' : 'subscriptions.create';
  let watched: WatchedCalendar;
  beforeEach(async () => {
    watched = await stage.connect(calendarProvider);
    expect(await watched.keep()).toBe('opened');
    expect(await watched.sync()).toMatchObject({ outcome: 'synced' });
  });

  test('[W-2] that falls silent is noticed by what it did not announce, and replaced', async () => {
    const silent = await only(watched);
    await stage.sandbox.order('POST', '/channels/silence', { channel: silent });
    let looks = 0;
    for (; !(await watched.isDue()); looks += 1) {
      expect(looks).toBeLessThan(10);
      await addSilently(watched);
      await letReconcile(watched);
      await expectInStep(watched);
    }
    expect(await watched.keep()).toBe('silent');
    expect(await only(watched)).not.toBe(silent);
    await watched.addNoticed(soon());
    // Found within four times the interval at which everything is looked at anyway.
    expect(looks).toBeLessThanOrEqual(8);
  });

  test('[I-4] [W-2] that loses every notification of an hour costs no more than the reconcile interval', async () => {
    await stage.sandbox.order('POST', '/notification-faults', { action: 'drop', user: watched.calendar.email });
    for (let passed = 0; passed < HOUR; passed += RECONCILE) {
      await addSilently(watched);
      await letReconcile(watched);
      await expectInStep(watched);
    }
    await stage.sandbox.order('DELETE', '/notification-faults').catch(() => undefined);
  });

  test('[W-2] that was made with an older secret is replaced when another one is first, so that the older can go', async () => {
    const rotating = await stage.connect(calendarProvider);
    const [newest = '', older = ''] = CHANNEL_SECRETS;
    rotating.secrets = [older, newest];
    expect(await rotating.keep()).toBe('opened');
    expect(await rotating.upkeep()).toBe('nothing_due');
    const before = await only(rotating);
    rotating.secrets = [newest, older];
    await stage.advance(120);
    expect(await rotating.upkeep()).toBe('replaced');
    expect(await only(rotating)).not.toBe(before);
    await rotating.sync();
    await rotating.addNoticed(soon());
    await stage.advance(120);
    expect(await rotating.upkeep()).toBe('nothing_due');
  });

  test('[W-2] that was opened without an answer is ended, and no orphan is left', async () => {
    const lonely = await stage.connect(calendarProvider);
    await strike(lonely, { operation: OPEN, lost_answer: true, times: 1 });
    await expect(lonely.keep()).rejects.toBeInstanceOf(ProviderError);
    expect(await lonely.channels()).toHaveLength(1);
    await stage.advance(120);
    expect(await lonely.isDue()).toBe(true);
    await lonely.keep();
    expect(await lonely.channels()).toHaveLength(1);
    await lonely.sync();
    await lonely.addNoticed(soon());
  });

  test('[W-2] that cannot be had leaves the connection healthy and polled, and is asked for ever more rarely', async () => {
    const unwatchable = await stage.connect(calendarProvider);
    const refusal =
      calendarProvider === 'google'
        ? { status: 400, reason: 'pushNotSupportedForRequestedResource' }
        : { status: 403, reason: 'ErrorAccessDenied' };
    await strike(unwatchable, { operation: OPEN, ...refusal });
    let asked = 0;
    for (let minute = 0; minute < 6 * 60; minute += 10) {
      const outcome = await unwatchable.upkeep();
      if (outcome !== 'nothing_due') asked += 1;
      if (outcome !== 'nothing_due') expect(outcome).toBe('refused');
      await stage.advance(600);
    }
    expect(asked).toBeGreaterThan(5);
    expect(asked).toBeLessThan(14);
    await addSilently(unwatchable);
    await letReconcile(unwatchable);
    await expectInStep(unwatchable);
    expect(await unwatchable.row()).toMatchObject({ status: 'active', errorCount: 0, lastError: null });
  });

  test('[A-1] is no hindrance to disconnecting while the calendar provider is away; connecting again keeps the id', async () => {
    await strike(watched, { status: 503 });
    await strike(watched, { operation: 'oauth.*', status: 503 });
    await requestDisconnect(stage.database.db, watched.connectionId);
    expect(await watched.disconnect()).toBe('disconnected');
    expect(await findConnection(stage.database.db, watched.connectionId)).toBeNull();
    expect(watched.leftBehind).not.toEqual([]);
    await stage.sandbox.order('DELETE', '/faults');
    const booking = createIngressClient(stage.ingress.url, API_TOKEN);
    const { providerId, calendar } = watched;
    expect(await booking.connectCalendar(providerId, calendarProvider, calendar.email)).toBe(watched.connectionId);
  });

  test('[A-1] a reconnect in the middle of disconnecting is neither revoked nor erased', async () => {
    await requestDisconnect(stage.database.db, watched.connectionId);
    const booking = createIngressClient(stage.ingress.url, API_TOKEN);
    watched.before = async (method) => {
      if (method !== 'closeChannel') return;
      watched.before = async () => undefined;
      await booking.connectCalendar(watched.providerId, calendarProvider, watched.calendar.email);
    };
    expect(await watched.disconnect()).toBe('withdrawn');
    expect(await watched.row()).toMatchObject({ status: 'active', syncEnabled: true });
    expect(await watched.sync()).toMatchObject({ outcome: 'synced' });
  });

  test('[R-3] a dead grant does not keep a connection from being disconnected', async () => {
    await stage.sandbox.order('POST', '/grants/revoke', { email: watched.calendar.email });
    await requestDisconnect(stage.database.db, watched.connectionId);
    expect(await watched.disconnect()).toBe('disconnected');
    expect(await findConnection(stage.database.db, watched.connectionId)).toBeNull();
  });

  test.each(['refresh', 'listChanges'] as const)(
    '[R-3] whose grant is refused at %s just when its owner connects again is not parked',
    async (method) => {
      await stage.sandbox.order('POST', '/grants/revoke', { email: watched.calendar.email });
      await stage.sandbox.order('POST', '/tokens/expire', { email: watched.calendar.email });
      await stage.database.sql`
      UPDATE external_calendar_connections SET requested = requested + 1 WHERE id = ${watched.connectionId}`;
      const booking = createIngressClient(stage.ingress.url, API_TOKEN);
      watched.afterFailure = async (failed) => {
        if (failed !== method) return;
        watched.afterFailure = async () => undefined;
        await booking.connectCalendar(watched.providerId, calendarProvider, watched.calendar.email);
      };
      await watched.sync();
      expect(await watched.row()).toMatchObject({ status: 'active', statusReason: null });
    },
  );

  test('[A-1] another account under the same connection starts afresh, whatever was under way', async () => {
    const other = `${randomUUID()}@${calendarProvider}.example`;
    await stage.sandbox.putUser({ calendar_provider: calendarProvider, email: other, time_zone: 'Europe/Rome' });
    await addSilently(watched);
    await stage.database.sql`
      UPDATE external_calendar_connections SET requested = requested + 1 WHERE id = ${watched.connectionId}`;
    const booking = createIngressClient(stage.ingress.url, API_TOKEN);
    watched.after = async (method) => {
      if (method !== 'listChanges') return;
      watched.after = async () => undefined;
      await booking.connectCalendar(watched.providerId, calendarProvider, other);
    };
    expect(await watched.sync()).toMatchObject({ outcome: 'lease_lost' });
    expect(await watched.sync()).toMatchObject({ outcome: 'synced', mode: 'full' });
    const [left] = await stage.database.sql`
      SELECT count(*)::int AS n FROM external_calendar_events WHERE connection_id = ${watched.connectionId}`;
    expect(left?.n).toBe(0);
  });

  test('[A-1] a grant that another connection lives by is not revoked with this one', async () => {
    const twin = await stage.connect(calendarProvider, watched.calendar.email);
    await requestDisconnect(stage.database.db, twin.connectionId);
    expect(await twin.disconnect()).toBe('disconnected');
    await stage.sandbox.order('POST', '/tokens/expire', { email: watched.calendar.email });
    await letReconcile(watched);
  });
});

describe('a subscription of Graph', () => {
  let watched: WatchedCalendar;
  beforeEach(async () => {
    watched = await stage.connect('microsoft');
    await watched.keep();
    await watched.sync();
  });
  const order = (event: string, more: object = {}) =>
    stage.sandbox.order('POST', '/channels/lifecycle', { event, email: watched.calendar.email, ...more });
  const until = async (holds: () => Promise<boolean>) => {
    while (!(await holds())) await sleep(5);
  };

  test('[W-2] that wants a new authorization gets it, and what changed in the pause is not lost', async () => {
    const id = await only(watched);
    await order('reauthorizationRequired');
    await addSilently(watched);
    await until(() => watched.isDue());
    expect(await watched.upkeep()).toBe('extended');
    expect(await only(watched)).toBe(id);
    await watched.addNoticed(soon());
    await watched.sync();
    await expectInStep(watched);
  });

  test('[W-2] that was removed, and says so, is opened anew, with a look for what was missed', async () => {
    const id = await only(watched);
    await order('subscriptionRemoved');
    await addSilently(watched);
    await until(() => watched.isDue());
    expect(await watched.upkeep()).toBe('opened');
    expect(await only(watched)).not.toBe(id);
    expect(await watched.sync()).toMatchObject({ outcome: 'synced' });
    await expectInStep(watched);
  });

  test('[W-2] that was removed without a word is found missing within half a day', async () => {
    await order('subscriptionRemoved', { silently: true });
    await stage.advance(12 * HOUR + 60);
    expect(await watched.upkeep()).toBe('replaced');
    await only(watched);
    await watched.sync();
    await watched.addNoticed(soon());
  });

  test('[W-2] that missed something asks for a look', async () => {
    await stage.sandbox.order('POST', '/notification-faults', {
      action: 'drop',
      user: watched.calendar.email,
      times: 1,
    });
    await addSilently(watched);
    const { requested } = await watched.row();
    await order('missed');
    await until(async () => (await watched.row()).requested > requested);
    expect(await watched.sync()).toMatchObject({ outcome: 'synced', putCount: 1 });
    await expectInStep(watched);
  });

  test('[I-4] whose notification comes before the feed shows the change: the next look finds it', async () => {
    await stage.sandbox.order('PUT', '/settings', { microsoft: { feed_lag_ms: 60_000 } });
    await watched.addNoticed(soon());
    expect(await watched.sync()).toMatchObject({ outcome: 'synced', putCount: 0 });
    await letReconcile(watched);
    await expectInStep(watched);
    // What was announced, and found late, is nothing against the channel.
    expect(await watched.upkeep()).toBe('nothing_due');
    await stage.sandbox.order('PUT', '/settings', { microsoft: { feed_lag_ms: 0 } });
  });

  test('[W-2] that another connection has on the same mailbox leaves this one polled, and takes nothing from it', async () => {
    const twin = await stage.connect('microsoft', watched.calendar.email);
    expect(await twin.keep()).toBe('refused');
    await only(watched);
    expect(await twin.sync()).toMatchObject({ outcome: 'synced' });
    expect(await twin.row()).toMatchObject({ status: 'active' });
  });
});
