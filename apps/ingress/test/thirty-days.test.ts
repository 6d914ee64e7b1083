/** A month of both calendars: channels, tokens and the window, sixteen hours at a time. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { secondsUntil, startWatchStage, type WatchedCalendar, type WatchStage } from './watched-calendars.ts';

const STEP_SECONDS = 57_600;
const STEPS = 45;
const FUTURE_DAYS = 90;
const DAY_SECONDS = 86_400;

let stage: WatchStage;
beforeAll(async () => {
  stage = await startWatchStage({
    renewBeforeSeconds: DAY_SECONDS,
    reconcileSeconds: STEP_SECONDS,
    silentAfterSeconds: 3 * STEP_SECONDS,
    futureDays: FUTURE_DAYS,
  });
}, 180_000);
afterAll(() => stage?.close(), 180_000);

test('[W-2] [I-1] over thirty days no notification falls in a gap, no orphan channel stays, the window keeps its promise', async () => {
  const calendars = await Promise.all([stage.connect('google'), stage.connect('microsoft')]);
  const renewals: Record<string, number> = {};
  const identities = new Map<WatchedCalendar, Set<string>>(calendars.map((one) => [one, new Set()]));
  for (const watched of calendars) {
    expect(await watched.keep()).toBe('opened');
    expect(await watched.sync()).toMatchObject({ outcome: 'synced', mode: 'full' });
    // While a channel is being replaced its owner goes on writing, between every two calls.
    watched.before = async (method) => {
      if (method !== 'closeChannel' && method !== 'openChannel' && method !== 'renewChannel') return;
      await watched.addNoticed(new Date(stage.now().getTime() + DAY_SECONDS * 1000));
    };
  }
  for (let step = 0; step < STEPS; step += 1) {
    await stage.advance(STEP_SECONDS);
    for (const watched of calendars) {
      const before = await watched.row();
      expect(await secondsUntil(stage, before.syncWindowEnd)).toBeGreaterThanOrEqual(FUTURE_DAYS * DAY_SECONDS);
      expect(await secondsUntil(stage, before.syncWindowStart)).toBeLessThanOrEqual(-DAY_SECONDS);
      // Announced before upkeep comes round, on what was left standing since the last time.
      await watched.addNoticed(new Date(stage.now().getTime() + (FUTURE_DAYS + (step % 5)) * DAY_SECONDS * 1000));
      const outcome = await watched.upkeep();
      const name = `${watched.calendar.calendarProvider} ${outcome}`;
      renewals[name] = (renewals[name] ?? 0) + 1;
      await watched.reconcile();
      expect(await watched.sync()).toMatchObject({ outcome: 'synced' });
      const { stored, shown } = await watched.compare();
      expect(stored).toEqual(shown);
      const channels = await watched.channels();
      expect([step, channels.length]).toEqual([step, 1]);
      for (const { channel_id } of channels) identities.get(watched)?.add(channel_id);
    }
  }
  // Google's are replaced after five and a half days of six and a half; Graph's are extended in place, each time.
  expect(renewals).toEqual({
    'google nothing_due': STEPS - 5,
    'google replaced': 5,
    'microsoft extended': STEPS,
  });
  expect([...identities.values()].map((ids) => ids.size)).toEqual([6, 1]);
}, 600_000);
