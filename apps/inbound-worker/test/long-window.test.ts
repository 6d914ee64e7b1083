/** A window as long as the settings allow, longer than what Graph reads at once. */
import { answerAvailability } from '@bookiji/sync';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type SandboxStage, startStage } from '../../../packages/providers/test/conformance/sandboxed-calendar.ts';
import { DAY_MS, NOW, openSyncedCalendar, spanText } from './synced-calendar.ts';

const LONGEST = { pastDays: 10_000, futureDays: 1_000 };

let database: TestDatabase;
let stage: SandboxStage;
beforeAll(async () => {
  database = await createTestDatabase();
  stage = await startStage();
});
afterAll(async () => {
  await stage?.close();
  await database?.drop();
});

test.each([
  ['google', 10_000],
  ['microsoft', 818],
] as const)(
  '[I-1] the longest window is synced at %s, as far back as it can be read, and trusted that far (%d days)',
  async (provider, pastDays) => {
    const calendar = await openSyncedCalendar(stage, database, provider, LONGEST);
    const days = [-817, 999];
    for (const day of days) await calendar.add(day * 24, day * 24 + 1);
    expect(await calendar.sync()).toMatchObject({ outcome: 'synced', mode: 'full' });
    expect(await calendar.intervals()).toEqual(
      days.map((day) => spanText(NOW + day * DAY_MS, NOW + day * DAY_MS + 3_600_000)),
    );
    // The clamped window is what was asked for: the next look goes on from the cursor.
    expect(await calendar.sync()).toMatchObject({ outcome: 'synced', mode: 'incremental' });

    const { syncWindowStart } = await calendar.row();
    const wanted = NOW - pastDays * DAY_MS;
    expect(Math.abs((syncWindowStart?.getTime() ?? 0) - wanted)).toBeLessThan(3 * 3_600_000);
    const reasonAt = async (day: number) => {
      const startAt = new Date(NOW + day * DAY_MS);
      const slot = { startAt, endAt: new Date(startAt.getTime() + 3_600_000) };
      const question = { providerId: calendar.connection.providerId, slots: [slot], maxAgeSeconds: 900 };
      const { evidence } = await answerAvailability(database.db, question, async () => []);
      return evidence[0]?.reason;
    };
    expect([await reasonAt(-pastDays + 1), await reasonAt(999)]).toEqual(['fresh', 'fresh']);
    expect(await reasonAt(-pastDays - 1)).toBe('outside_window');

    expect(await calendar.audit()).toEqual([]);
  },
);
