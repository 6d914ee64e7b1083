/** A window beyond the half year that Google's increments tell of when a long series is deleted. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startWatchStage, type WatchStage } from '../../ingress/test/watched-calendars.ts';

const DAY_SECONDS = 86_400;

let stage: WatchStage;
beforeAll(async () => {
  stage = await startWatchStage({
    renewBeforeSeconds: DAY_SECONDS,
    reconcileSeconds: 300,
    silentAfterSeconds: 900,
    futureDays: 400,
  });
}, 180_000);
afterAll(() => stage?.close(), 180_000);

test('[I-1] what a deleted series leaves behind beyond half a year is busy for a week at most, and never free too soon', async () => {
  const watched = await stage.connect('google');
  const start = new Date(stage.now().getTime() + DAY_SECONDS * 1000);
  const series = await stage.sandbox.addEvent(watched.calendar, {
    start: start.toISOString(),
    end: new Date(start.getTime() + 3_600_000).toISOString(),
    recurrence: ['RRULE:FREQ=WEEKLY'],
  });
  await watched.sync();
  const whole = await watched.compare();
  expect(whole.stored.length).toBeGreaterThan(55);
  expect(whole.stored).toEqual(whole.shown);

  await stage.sandbox.deleteEvent(watched.calendar, series.id);
  await stage.advance(301);
  await watched.reconcile();
  expect(await watched.sync()).toMatchObject({ outcome: 'synced', mode: 'incremental' });
  const left = await watched.compare();
  const nearest = Date.parse(left.stored[0]?.split('/')[0] ?? '');
  expect(left.stored.length).toBeLessThan(whole.stored.length / 1.5);
  expect(nearest - stage.now().getTime()).toBeGreaterThan(150 * DAY_SECONDS * 1000);

  await stage.advance(8 * DAY_SECONDS);
  await watched.reconcile();
  expect(await watched.sync()).toMatchObject({ outcome: 'synced', mode: 'full' });
  expect((await watched.compare()).stored).toEqual([]);
}, 180_000);
