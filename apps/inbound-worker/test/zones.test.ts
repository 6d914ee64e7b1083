/** What is stored equals what the calendar shows: every shape of event, in zones from −12 to +14, new and changed. */
import type { CalendarProvider } from '@bookiji/providers/contract';
import { createTestDatabase, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type SandboxStage, startStage } from '../../../packages/providers/test/conformance/sandboxed-calendar.ts';
import { DAY_MS, NOW, openSyncedCalendar, type SyncedCalendar, spanText, WINDOW } from './synced-calendar.ts';

const ZONES = [
  'Etc/GMT+12',
  'Pacific/Pago_Pago',
  'America/Los_Angeles',
  'America/St_Johns',
  'UTC',
  'Europe/Berlin',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Kiritimati',
];
const HOURS = 3_600_000;

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

const instant = (days: number, hours = 0) => new Date(NOW + days * DAY_MS + hours * HOURS).toISOString();
const date = (days: number) => instant(days).slice(0, 10);
/** A time on the wall, for the calendar's zone to place. */
const wall = (days: number, time: string) => `${date(days)}T${time}`;
const lastDay = WINDOW.futureDays + 1;

/** One of each kind. Changes of the clocks are the adapters' own tests. */
function shapes(zone: string, provider: CalendarProvider, shift: number): Record<string, object> {
  const away = provider === 'google' ? { event_type: 'outOfOffice' } : { show_as: 'oof' };
  const elsewhere =
    provider === 'google'
      ? { event_type: 'workingLocation', transparency: 'transparent' }
      : { show_as: 'workingElsewhere' };
  return {
    'an hour': { start: wall(2 + shift, '09:00:00'), end: wall(2 + shift, '10:00:00') },
    'over midnight': { start: wall(3, '22:00:00'), end: wall(4, '03:00:00') },
    'several days': { start: wall(5, '18:30:00'), end: wall(8, '07:15:00') },
    'a whole day': { start: date(6 + shift), end: date(7 + shift) },
    'whole days': { start: date(9), end: date(14) },
    'over the beginning of the window': { start: instant(-WINDOW.pastDays, -5), end: instant(-WINDOW.pastDays, 5) },
    'over all of the window': { start: instant(-40), end: instant(60) },
    'over its end': { start: instant(lastDay, -3), end: instant(lastDay, 30) },
    'before it': { start: instant(-WINDOW.pastDays - 2), end: instant(-WINDOW.pastDays - 1, -1) },
    'after it': { start: instant(lastDay + 3), end: instant(lastDay + 4) },
    'without length': { start: instant(4, 1), end: instant(4, 1) },
    'out of office': { start: wall(15, '00:00:00'), end: wall(16, '00:00:00'), ...away },
    'working elsewhere': { start: wall(16, '09:00:00'), end: wall(16, '17:00:00'), ...elsewhere },
    free: { start: wall(17, '09:00:00'), end: wall(17, '10:00:00'), show_as: 'free' },
    'a free day': { start: date(18), end: date(19), show_as: 'free' },
    declined: { start: wall(19, '09:00:00'), end: wall(19, '10:00:00'), response_status: 'declined' },
    unanswered: { start: wall(20, '09:00:00'), end: wall(20, '10:00:00'), response_status: 'needsAction' },
    tentative: { start: wall(21, '09:00:00'), end: wall(21, '10:00:00'), status: 'tentative', show_as: 'tentative' },
    daily: {
      start: wall(1, '07:00:00'),
      end: wall(1, '07:30:00'),
      time_zone: zone,
      recurrence: ['RRULE:FREQ=DAILY;COUNT=20'],
    },
    'days that come again': { start: date(2), end: date(3), recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'] },
  };
}

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly start_at: string;
  readonly end_at: string;
  readonly show_as: string;
  readonly event_type: string;
  readonly response_status: string | null;
}

/** What a person who looks at the calendar would call taken, within the window that is kept. */
async function takenAsShown(calendar: SyncedCalendar): Promise<string[]> {
  const { syncWindowStart, syncWindowEnd } = await calendar.row();
  const [from, to] = [syncWindowStart?.getTime() ?? 0, syncWindowEnd?.getTime() ?? 0];
  const query = `?from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
  const { events } = await calendar.own<{ events: Shown[] }>('GET', query);
  return events
    .filter(({ show_as, event_type, response_status }) => {
      if (show_as === 'free' || show_as === 'workingElsewhere') return false;
      return event_type !== 'workingLocation' && response_status !== 'declined';
    })
    .map(({ start_at, end_at }) => ({ start: Date.parse(start_at), end: Date.parse(end_at) }))
    .filter(({ start, end }) => start < end && start < to && end > from)
    .sort((a, b) => a.start - b.start || a.end - b.end)
    .map(({ start, end }) => spanText(start, end));
}

describe.each(['google', 'microsoft'] as const)('a calendar at %s', (provider) => {
  test.each(ZONES.map((zone, index) => [zone, index] as const))(
    '[I-3] in %s is stored as it is shown',
    async (zone, shift) => {
      const calendar = await openSyncedCalendar(stage, database, provider);
      await calendar.order('PUT', '/users', { calendar_provider: provider, email: calendar.email, time_zone: zone });
      const ids = new Map<string, string>();
      for (const [name, shape] of Object.entries(shapes(zone, provider, shift % 3))) {
        ids.set(name, (await calendar.own('POST', '', { title: name, ...shape })).id);
      }
      expect(await calendar.sync()).toMatchObject({ outcome: 'synced', mode: 'full', unreadableCount: 0 });
      const first = await takenAsShown(calendar);
      expect(await calendar.intervals()).toEqual(first);
      // Of twenty shapes: a score of mornings, three days, and whatever else takes time.
      expect(first.length).toBeGreaterThan(25);

      const own = (method: string, name: string, change?: object) =>
        calendar.own(method, `/${encodeURIComponent(ids.get(name) ?? '')}`, change);
      await own('PATCH', 'an hour', { start: instant(22, 3), end: instant(22, 4) });
      await own('PATCH', 'a whole day', { start: date(23), end: date(25) });
      await own('PATCH', 'several days', { show_as: 'free' });
      await own('PATCH', 'free', { show_as: 'busy' });
      await own('PATCH', 'over midnight', { start: instant(70), end: instant(71) });
      await own('PATCH', 'after it', { start: instant(24, 1), end: instant(24, 2) });
      await own('DELETE', 'whole days');
      await own('DELETE', 'tentative');
      const { events } = await calendar.own<{ events: (Shown & { title: string })[] }>(
        'GET',
        `?from=${instant(0)}&to=${instant(25)}`,
      );
      const mornings = events.filter(({ title }) => title === 'daily').map(({ id }) => encodeURIComponent(id));
      await calendar.own('DELETE', `/${mornings[2]}`);
      await calendar.own('PATCH', `/${mornings[4]}`, { start: instant(12, 5), end: instant(12, 6) });
      expect(await calendar.sync()).toMatchObject({ outcome: 'synced', mode: 'incremental', unreadableCount: 0 });
      const second = await takenAsShown(calendar);
      expect(await calendar.intervals()).toEqual(second);
      expect(second).not.toEqual(first);
    },
  );
});
