/** What the fleet's processes share at a calendar provider: one refresh of a token, few calls of a mailbox. */
import { setTimeout as sleep } from 'node:timers/promises';
import { moveClock } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Caller, type Scene, startScene, type Target } from './callers.ts';

const LONG = 180_000;
let movedSeconds = 0;
/** Beyond the end of a killed process's right to refresh, for whoever connects from then on. */
async function letLeasesEnd(): Promise<void> {
  movedSeconds += 30;
  await moveClock(scene.database.url, movedSeconds);
}

let scene: Scene;
let callers: Caller[];
beforeAll(async () => {
  scene = await startScene({ microsoft: { latency_ms: 20 } });
  callers = await Promise.all(Array.from({ length: 4 }, () => scene.startCaller()));
}, LONG);
afterAll(() => scene?.close(), LONG);
beforeEach(async () => {
  await scene.order('DELETE', '/faults');
  await scene.order('DELETE', '/requests');
});

const heir = () => callers[0] as Caller;
const callFromAll = async (target: Target, workers: number, calls: number) =>
  (await Promise.all(callers.map((caller) => caller.call(target, workers, calls)))).flat();

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(10);
}

const hasStruck = async () => {
  const { faults } = await scene.order<{ faults: { fired: number }[] }>('GET', '/faults');
  return faults.every(({ fired }) => fired > 0);
};

describe.each(['google', 'microsoft'] as const)('an expired access token at %s', (provider) => {
  test(
    '[A-1] that twenty workers of four processes find at once is refreshed by one request',
    async () => {
      const target = await scene.connect(provider);
      expect(await callFromAll(target, 5, 1)).toEqual(Array(20).fill('ok'));
      expect(await scene.countRequests('oauth.token')).toEqual({ 200: 1 });
    },
    LONG,
  );

  test.each([
    ['before the provider has done anything', { latency_ms: 60_000 }],
    ['after the provider gave out a new token and before it was stored', { answer_latency_ms: 60_000 }],
  ])(
    '[A-1] whose refresher is killed %s loses no grant',
    async (_when, delay) => {
      const target = await scene.connect(provider);
      await scene.order('POST', '/faults', { provider, operation: 'oauth.token', times: 1, ...delay });
      const victim = await scene.startCaller();
      const lost = victim.call(target, 1, 1);
      await until(hasStruck);
      await victim.kill();
      expect(await lost).toEqual(['killed']);
      await letLeasesEnd();
      expect(await heir().call(target, 1, 1)).toEqual(['ok']);
      // And with what was stored then the next refresh works as well.
      await scene.order('POST', '/tokens/expire', {});
      expect(await heir().call(target, 1, 1)).toEqual(['ok']);
    },
    LONG,
  );

  test(
    '[A-1] whose refresh was done but not answered is refreshed again by one of those who waited',
    async () => {
      const target = await scene.connect(provider);
      await scene.order('POST', '/faults', { provider, operation: 'oauth.token', lost_answer: true, times: 1 });
      const outcomes = await heir().call(target, 5, 1);
      expect(outcomes.sort()).toEqual([...Array(4).fill('ok'), 'transient/connection_reset']);
      expect(await scene.countRequests('oauth.token')).toEqual({ 0: 1, 200: 1 });
    },
    LONG,
  );

  test(
    '[R-3] of a dead grant costs one request, however many ask, and parks the connection with a reason',
    async () => {
      const target = await scene.connect(provider);
      await scene.order('POST', '/grants/revoke', { email: `${target.connection.id}@${provider}.example` });
      const outcomes = await callFromAll(target, 5, 2);
      const named = ['auth_revoked/connection_not_active', 'auth_revoked/invalid_grant'];
      expect([...new Set(outcomes)].sort()).toEqual(named);
      expect(await scene.countRequests('oauth.token')).toEqual({ 400: 1 });
      const [row] = await scene.database.sql`
        SELECT status, status_reason FROM external_calendar_connections WHERE id = ${target.connection.id}`;
      expect(row).toEqual({
        status: 'reauth_required',
        status_reason: 'The calendar account no longer grants access. Connect the calendar again.',
      });
    },
    LONG,
  );
});

describe('one mailbox of Graph', () => {
  test(
    '[R-1] is never asked for more than three things at a time, whatever twenty workers of four processes want',
    async () => {
      const target = await scene.connect('microsoft');
      const outcomes = await callFromAll(target, 5, 2);
      // On a machine that is very busy somebody may have waited too long; that spends no attempt.
      expect(outcomes.filter((outcome) => outcome !== 'ok' && !outcome.startsWith('rate_limited/'))).toEqual([]);
      expect(Object.keys(await scene.countRequests('events.list'))).toEqual(['200']);
      const { peak_concurrency: peaks } = await scene.order<{ peak_concurrency: Record<string, number> }>(
        'GET',
        '/requests',
      );
      const [, peak] = Object.entries(peaks).find(([mailbox]) => mailbox.includes(target.connection.id)) ?? [];
      expect(peak).toBe(3);
    },
    LONG,
  );

  test(
    '[R-1] is free again soon after those who called it were killed',
    async () => {
      const target = await scene.connect('microsoft');
      expect(await heir().call(target, 1, 1)).toEqual(['ok']);
      await scene.order('POST', '/faults', { provider: 'microsoft', operation: 'events.list', hang: true });
      const victim = await scene.startCaller();
      // One call after the other, so that the slots are held whenever they are looked at.
      void victim.call({ ...target, timeoutMs: 1_000 }, 5, 20);
      await until(async () => {
        const [held] = await scene.database.sql`
          SELECT count(*)::int AS slots FROM mailbox_slots WHERE held_until > now()`;
        return held?.slots === 3;
      });
      await victim.kill();
      await scene.order('DELETE', '/faults');
      // Graph notices late that somebody has gone, as a busy sandbox does: until then it may refuse.
      const killedAt = performance.now();
      await until(async () => (await heir().call(target, 2, 1)).every((outcome) => outcome === 'ok'));
      expect(performance.now() - killedAt).toBeLessThan(30_000);
    },
    LONG,
  );
});
