import type { CalendarProvider, ConnectionStatus, SandboxCalendar, SandboxEvent, Slot } from '@bookiji/local-fleet';
import type { Drill } from '../drill.ts';
import { untilFree } from '../scene/availability.ts';
import { connectProvider, type DrilledProvider, readStatus } from '../scene/connect.ts';
import { listRequests } from '../scene/faults.ts';
import { listRuns, untilQuiet } from '../scene/rows.ts';
import type { Scene } from '../scene/scene.ts';
import { slotAt } from '../scene/slots.ts';

const SLOTS = [0, 1, 2, 3].map((hour) => slotAt(hour));
const HALF_HOUR_MS = 1_800_000;

/** What an owner does to the calendar, and which of the four hours are free afterwards. */
interface Move {
  readonly title: string;
  play(calendar: SandboxCalendar, events: Map<string, SandboxEvent>): Promise<unknown>;
  readonly free: readonly Slot[];
}

export const inboundSync: Drill = {
  name: 'inbound-sync',
  title: 'What blocks time in a calendar blocks it here within seconds, at both calendar providers',
  proves: ['I-1', 'I-2', 'I-3', 'I-4'],
  needs: ['sandbox'],
  phase: 'calm',
  async run(scene) {
    await Promise.all([playAt(scene, 'google'), playAt(scene, 'microsoft')]);
  },
};

async function playAt(scene: Scene, calendarProvider: CalendarProvider): Promise<void> {
  const provider = await connectProvider(scene, calendarProvider);
  const events = new Map<string, SandboxEvent>();
  for (const move of movesOf(scene)) {
    await move.play(provider.calendar, events);
    const ms = await untilFree(scene, provider, SLOTS, move.free);
    scene.notes.did(`${calendarProvider}: ${move.title}`, { milliseconds: ms, free: move.free.length });
    scene.notes.judged(`[I-3] ${calendarProvider}: ${move.title}`, ms < 10_000, ms, 'right within 10000 ms');
  }
  await askByHand(scene, provider);
  if (scene.target.owned !== null) await lookBehind(scene, provider);
}

function movesOf(scene: Scene): readonly Move[] {
  const [first, second, third, fourth] = SLOTS as [Slot, Slot, Slot, Slot];
  const { sandbox } = scene;
  const keep =
    (name: string, add: (calendar: SandboxCalendar) => Promise<SandboxEvent>) =>
    async (calendar: SandboxCalendar, events: Map<string, SandboxEvent>) =>
      events.set(name, await add(calendar));
  const title = () => scene.invent('title', 'Dentist');
  return [
    {
      title: 'a new event blocks its hour and leaves the hours that touch it free',
      play: keep('hour', (at) => sandbox.addEvent(at, { title: title(), ...second })),
      free: [first, third, fourth],
    },
    {
      title: 'one that overlaps another blocks what both cover',
      play: keep('across', (at) => sandbox.addEvent(at, { title: title(), start: middle(second), end: middle(third) })),
      free: [first, { start: middle(third), end: third.end }, fourth],
    },
    {
      title: 'one within another, one marked free and one of no length change nothing',
      async play(at) {
        await sandbox.addEvent(at, { title: title(), start: middle(second), end: second.end });
        await sandbox.addEvent(at, { title: title(), ...fourth, ...asFree(at) });
        if (at.calendarProvider === 'google') {
          await sandbox.addEvent(at, { title: title(), start: first.start, end: first.start });
        }
      },
      free: [first, { start: middle(third), end: third.end }, fourth],
    },
    {
      title: 'an event that is moved frees its old time and blocks the new one',
      play: (at, events) => sandbox.changeEvent(at, events.get('across')?.id ?? '', { ...fourth }),
      free: [first, third],
    },
    {
      title: 'a whole day blocks everything',
      play: keep('day', (at) => sandbox.addEvent(at, { title: title(), start: day(first, 0), end: day(first, 1) })),
      free: [],
    },
    {
      title: 'what is deleted gives its time back',
      async play(at, events) {
        for (const { id } of events.values()) await sandbox.deleteEvent(at, id);
      },
      free: [first, { start: second.start, end: middle(second) }, third, fourth],
    },
  ];
}

/** How each calendar provider says that an event takes no time. */
function asFree({ calendarProvider }: SandboxCalendar): Record<string, string> {
  return calendarProvider === 'google' ? { transparency: 'transparent' } : { show_as: 'free' };
}

function middle(slot: Slot): string {
  return new Date(Date.parse(slot.start) + HALF_HOUR_MS).toISOString();
}

/** The local date in Toronto of nine o'clock UTC; the hours of the drill all lie in it. */
function day(slot: Slot, plus: number): string {
  const at = Date.parse(slot.start) + plus * 86_400_000;
  return new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Toronto' }).format(at);
}

/** A person's wish, and a cursor that the calendar provider takes no more: seen from outside. */
async function askByHand(scene: Scene, provider: DrilledProvider): Promise<void> {
  const { notes } = scene;
  const { calendarProvider: at, email } = provider.calendar;
  const before = await readStatus(scene, provider);
  const { status } = await scene.ingress.request('POST', '/api/calendar/sync', { provider_id: provider.providerId });
  notes.saw(`[I-4] ${at}: a person may ask for a sync`, status, 202);
  const ms = await untilSyncedSince(scene, provider, before);
  notes.judged(`[I-2] [I-4] ${at}: it was made, and the time of the last sync moved on`, true, ms, 'later than before');

  await scene.sandbox.order('POST', '/cursors/expire', { calendar_provider: at, email });
  const expired = await readStatus(scene, provider);
  const slot = slotAt(2);
  await scene.sandbox.addEvent(provider.calendar, { title: scene.invent('title', 'Choir'), ...slot });
  await scene.ingress.request('POST', '/api/calendar/sync', { provider_id: provider.providerId });
  await untilSyncedSince(scene, provider, expired);
  await untilFree(scene, provider, [slot], []);
  const asked = await listRequests(scene, email, /^events\.(list|delta)$/);
  const refused = asked.filter((request) => request.status === 410).length;
  notes.did(`${at}: let the cursor end`, { refused });
  notes.judged(
    `[I-1] ${at}: changes are asked for by a cursor, which was refused`,
    refused > 0,
    refused,
    'at least once',
  );
  const afterwards = asked.slice(asked.findIndex((request) => request.status === 410) + 1);
  notes.judged(
    `[I-1] ${at}: then everything was fetched anew`,
    afterwards.some((request) => request.status === 200),
    afterwards.length,
    'a request that was answered',
  );
}

function untilSyncedSince(scene: Scene, provider: DrilledProvider, before: ConnectionStatus): Promise<number> {
  return scene.until('the next sync', async () => {
    const { last_synced_at: now } = await readStatus(scene, provider);
    return Date.parse(now ?? '') > Date.parse(before.last_synced_at ?? '');
  });
}

/** The rows behind it, who asked for each sync, and how much was fetched. */
async function lookBehind(scene: Scene, provider: DrilledProvider): Promise<void> {
  const { notes, owned } = scene;
  const { connectionId, calendar } = provider;
  const at = calendar.calendarProvider;
  const { sql } = owned.database;
  await untilQuiet(scene, connectionId);
  const rows = await sql`
    SELECT is_busy, length(checksum) > 0 AS has_checksum, end_time > start_time AS has_length
      FROM external_calendar_events WHERE connection_id = ${connectionId} AND booking_id IS NULL AND is_busy`;
  const whole = { is_busy: true, has_checksum: true, has_length: true };
  notes.saw(`[I-2] ${at}: two busy rows, each with its checksum`, rows, [whole, whole]);

  const runs = await listRuns(scene, connectionId);
  const asked = [...new Set(runs.map(({ requested_by }) => requested_by))];
  notes.judged(`[I-4] ${at}: notifications started syncs`, asked.includes('webhook'), asked.join(', '), 'webhook');
  const modes = runs.map(({ mode }) => mode);
  const full = modes.filter((mode) => mode === 'full').length;
  notes.saw(
    `[I-1] ${at}: full were the first sync and the one after the cursor's end, the rest fetched changes`,
    [modes[0], full],
    ['full', 2],
  );

  await sql`UPDATE external_calendar_connections SET reconcile_at = now() WHERE id = ${connectionId}`;
  const ms = await scene.until('a sync asked for by the schedule', async () =>
    (await listRuns(scene, connectionId)).some((run) => run.requested_by === 'schedule' && run.outcome === 'synced'),
  );
  notes.did(`${at}: let the time for looking again come`, { milliseconds: ms });
  notes.judged(`[I-4] ${at}: the schedule starts a sync`, true, ms, 'a sync');
}
