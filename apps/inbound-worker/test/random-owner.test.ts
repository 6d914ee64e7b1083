/** An owner does whatever comes to mind; after each look the stored busy time is what the calendar itself shows. */
import type { SandboxEvent } from '@bookiji/local-fleet';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startWatchStage, type WatchedCalendar, type WatchStage } from '../../ingress/test/watched-calendars.ts';

const ROUNDS = 20;
const DAY_MS = 86_400_000;
const ZONES = ['Europe/Rome', 'America/Toronto', 'Asia/Kolkata', 'Pacific/Auckland', 'Pacific/Niue', 'UTC'];

let stage: WatchStage;
beforeAll(async () => {
  const hour = 3_600;
  stage = await startWatchStage({
    renewBeforeSeconds: 24 * hour,
    reconcileSeconds: 300,
    silentAfterSeconds: hour,
    futureDays: 120,
  });
  // Small pages that overlap, and some that are empty: what the feeds are documented to do.
  await stage.sandbox.order('PUT', '/settings', { microsoft: { empty_page_every: 2, repeat_items: true } });
}, 180_000);
afterAll(() => stage?.close(), 180_000);

/** The same numbers for the same seed. */
function chances(seed: number) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    below: (count: number) => Math.floor(next() * count),
    of: <Item>(items: readonly Item[]): Item => items[Math.floor(next() * items.length)] as Item,
  };
}

type Chances = ReturnType<typeof chances>;
const day = (instant: number) => new Date(instant).toISOString().slice(0, 10);
const wall = (instant: number) => new Date(instant).toISOString().slice(0, 16);

/** From a month before the window to a month beyond it, so that events cross both of its ends. */
function somewhen(chance: Chances): number {
  const minutes = chance.below(180 * 24 * 4) * 15;
  return stage.now().getTime() - 30 * DAY_MS + minutes * 60_000;
}

function imagineEvent(chance: Chances, isGoogle: boolean): Record<string, unknown> {
  const at = somewhen(chance);
  const zone = chance.of(ZONES);
  const kinds: (() => Record<string, unknown>)[] = [
    () => ({ start: wall(at), end: wall(at + chance.of([0, 15, 60, 600, 4_000]) * 60_000), time_zone: zone }),
    () => ({ start: day(at), end: day(at + chance.of([1, 2, 9]) * DAY_MS) }),
    () => ({
      start: wall(at),
      end: wall(at + chance.of([30, 90]) * 60_000),
      time_zone: zone,
      recurrence: [`RRULE:FREQ=${chance.of(['DAILY', 'WEEKLY'])};COUNT=${2 + chance.below(20)}`],
    }),
    () => ({ start: day(at), end: day(at + DAY_MS), recurrence: [`RRULE:FREQ=WEEKLY;COUNT=${2 + chance.below(8)}`] }),
  ];
  const showAs = chance.of(['busy', 'busy', 'busy', 'free', 'tentative', 'oof', 'workingElsewhere']);
  const answer = chance.of([null, null, null, 'declined', 'accepted', 'tentative', 'needsAction']);
  // Google knows free and busy alone; a place of work is a kind of event there.
  const shown = isGoogle ? { transparency: showAs === 'free' ? 'transparent' : 'opaque' } : { show_as: showAs };
  return { ...chance.of(kinds)(), ...shown, ...(answer === null ? {} : { response_status: answer }) };
}

/** What lies in an owner's bin: an event, or an occurrence with the rule that its series had then. */
interface Binned {
  readonly id: string;
  readonly seriesId: string | null;
  readonly rule: string;
}

/** One thing that an owner does to an event, or to one occurrence of a series. */
async function act(watched: WatchedCalendar, bin: Binned[], chance: Chances): Promise<void> {
  const { calendar } = watched;
  const isGoogle = calendar.calendarProvider === 'google';
  const from = new Date(stage.now().getTime() - 40 * DAY_MS);
  const to = new Date(stage.now().getTime() + 170 * DAY_MS);
  const events = await stage.sandbox.listEvents(calendar, from, to);
  const one = events.length === 0 ? null : chance.of(events);
  const what = one === null ? 0 : chance.below(14);
  if (one === null || what < 4)
    return void (await stage.sandbox.addEvent(calendar, imagineEvent(chance, isGoogle) as never));
  if (what < 6) return deleteOne(watched, bin, one);
  if (what === 6) return void (await deleteSeries(watched, one));
  if (what === 7) return void (await stage.sandbox.changeEvent(calendar, one.id, { title: 'renamed' }));
  if (what < 10) return splitSeries(watched, one, chance);
  if (what < 12) return restoreOne(watched, bin, chance);
  const isDay = one.all_day === true;
  const at = somewhen(chance);
  const moved = isDay ? { start: day(at), end: day(at + DAY_MS) } : { start: new Date(at).toISOString() };
  await stage.sandbox.changeEvent(calendar, one.id, moved);
}

const seriesOf = ({ series_id: seriesId }: SandboxEvent) => (typeof seriesId === 'string' ? seriesId : null);
const pathOf = ({ calendar }: WatchedCalendar, id: string) =>
  `/calendars/${calendar.calendarProvider}/${encodeURIComponent(calendar.email)}/events/${encodeURIComponent(id)}`;
const readEvent = (watched: WatchedCalendar, id: string) =>
  stage.sandbox.order<SandboxEvent>('GET', pathOf(watched, id));

async function deleteOne(watched: WatchedCalendar, bin: Binned[], one: SandboxEvent): Promise<void> {
  const seriesId = seriesOf(one);
  const rule = seriesId === null ? '' : String((await readEvent(watched, seriesId)).recurrence);
  await stage.sandbox.deleteEvent(watched.calendar, one.id);
  bin.push({ id: one.id, seriesId, rule });
}

/** Out of the bin again; an occurrence only while its series is as it was, for else there is no place for it. */
async function restoreOne(watched: WatchedCalendar, bin: Binned[], chance: Chances): Promise<void> {
  const [binned] = bin.splice(chance.below(bin.length + 1), 1);
  if (binned === undefined) return;
  if (binned.seriesId !== null) {
    const { status, recurrence } = await readEvent(watched, binned.seriesId);
    if (status === 'cancelled' || String(recurrence) !== binned.rule) return;
  }
  await stage.sandbox.order('POST', `${pathOf(watched, binned.id)}/restore`);
}

/** "This and all following": the series ends before the occurrence, and another one begins there, an hour later. */
async function splitSeries(watched: WatchedCalendar, one: SandboxEvent, chance: Chances): Promise<void> {
  const seriesId = seriesOf(one);
  if (seriesId === null) return;
  const series = await readEvent(watched, seriesId);
  const rule = String(series.recurrence);
  if (Date.parse(one.start) <= Date.parse(series.start)) return;
  const frequency = /FREQ=\w+/.exec(rule)?.[0];
  const isDay = one.all_day === true;
  const before = new Date(Date.parse(one.start) - (isDay ? DAY_MS : 1_000)).toISOString().replace(/[-:]|\.\d+/g, '');
  const recurrence = [`RRULE:${frequency};UNTIL=${isDay ? before.slice(0, 8) : before}`];
  await stage.sandbox.changeEvent(watched.calendar, seriesId, { recurrence });
  const later = (at: string) => (isDay ? at : new Date(Date.parse(at) + 3_600_000).toISOString());
  await stage.sandbox.addEvent(watched.calendar, {
    start: later(one.start),
    end: later(one.end),
    time_zone: typeof series.time_zone === 'string' ? series.time_zone : 'UTC',
    recurrence: [`RRULE:${frequency};COUNT=${2 + chance.below(6)}`],
  });
}

async function deleteSeries(watched: WatchedCalendar, { id, series_id }: SandboxEvent): Promise<void> {
  const isGoogle = watched.calendar.calendarProvider === 'google';
  await stage.sandbox.deleteEvent(watched.calendar, isGoogle && typeof series_id === 'string' ? series_id : id);
}

/** `CALSYNC_FULL=1` plays forty owners of each calendar provider. */
const OWNERS = process.env.CALSYNC_FULL === '1' ? 40 : 2;
const PLAYS = (['google', 'microsoft'] as const).flatMap((calendarProvider) =>
  Array.from({ length: OWNERS }, (_, index) => [calendarProvider, index + 1] as const),
);

test.each(PLAYS)(
  '[I-1] [I-2] [I-3] stored and shown are equal at %s, seed %i',
  async (calendarProvider, seed) => {
    const watched = await stage.connect(calendarProvider);
    await watched.keep();
    const chance = chances(seed);
    const modes = new Set<string>();
    const bin: Binned[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let count = chance.below(4); count >= 0; count -= 1) await act(watched, bin, chance);
      if (chance.below(10) === 0)
        await stage.sandbox.order('POST', '/cursors/expire', { email: watched.calendar.email });
      await stage.database.sql`
      UPDATE external_calendar_connections SET requested = requested + 1 WHERE id = ${watched.connectionId}`;
      const outcome = await watched.sync();
      expect(outcome).toMatchObject({ outcome: 'synced', unreadableCount: 0 });
      if (outcome.outcome === 'synced') modes.add(outcome.mode);
      const { stored, shown } = await watched.compare();
      expect([round, stored]).toEqual([round, shown]);
    }
    expect([...modes].sort()).toEqual(['full', 'incremental']);
  },
  120_000,
);
