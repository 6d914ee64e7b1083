import type { Drill } from '../drill.ts';
import { untilFree } from '../scene/availability.ts';
import { announce, inventBooking, shownEvents, untilShown } from '../scene/bookings.ts';
import { connectProvider, type DrilledProvider } from '../scene/connect.ts';
import { orderFault } from '../scene/faults.ts';
import { openNotifier } from '../scene/notifier.ts';
import { countLines, untilSwept } from '../scene/processes.ts';
import { listRuns, readConnection, readWhenQuiet, untilQuiet } from '../scene/rows.ts';
import type { Scene } from '../scene/scene.ts';
import { slotAt } from '../scene/slots.ts';

const ALL_ON = {
  CALENDAR_SYNC_ENABLED: true,
  CALENDAR_OAUTH_ENABLED: true,
  CALENDAR_JOBS_ENABLED: true,
  CALENDAR_WEBHOOK_ENABLED: true,
};
const SLOTS = [slotAt(0), slotAt(1), slotAt(2)];
const HOLD_MS = 2_000;
const PROMISE_MS = 2_000;
const TOGGLES = 60;
const LOAD = 8;

export const flagOffMidSync: Drill = {
  name: 'flag-off-mid-sync',
  title: 'A flag that goes off lets the running sync finish, refuses or parks the next, and loses nothing',
  proves: ['F-1', 'F-3'],
  needs: ['sandbox', 'ops', 'owned'],
  phase: 'alone',
  async run(scene) {
    scene.cleanUp('the switched-off flags', () => scene.ops.setFlags(ALL_ON));
    const provider = await connectProvider(scene, 'google');
    await untilQuiet(scene, provider.connectionId);
    await turnOffMidSync(scene, provider);
    await turnOffTheDoors(scene, provider);
    await toggleUnderLoad(scene, provider);
  },
};

async function turnOffMidSync(scene: Scene, provider: DrilledProvider): Promise<void> {
  const { notes, ops } = scene;
  const { connectionId, providerId, calendar } = provider;
  const held = await orderFault(scene, {
    provider: 'google',
    user: calendar.email,
    operation: 'events.list',
    answer_latency_ms: HOLD_MS,
    times: 1,
  });
  await scene.sandbox.addEvent(calendar, { title: scene.invent('title', 'Run'), ...slotAt(0) });
  await scene.until('the sync to run', async () => (await held.fired()) === 1);
  const before = await readConnection(scene, connectionId);
  await ops.setFlags({ CALENDAR_SYNC_ENABLED: false });
  const refusedMs = await scene.until('the refusal', async () => (await askForSync(scene, providerId)) === 403);
  notes.judged('[F-3] the next wish is refused', refusedMs <= PROMISE_MS, refusedMs, `403 within ${PROMISE_MS} ms`);
  await scene.until('the running sync to finish', async () => {
    return (await readConnection(scene, connectionId)).runs > before.runs;
  });
  const finished = (await listRuns(scene, connectionId)).at(-1);
  notes.saw('[F-3] the running sync was completed', [finished?.outcome, finished?.put_count], ['synced', 1]);
  notes.did('switched CALENDAR_SYNC_ENABLED off during a sync', { milliseconds_until_refused: refusedMs });

  const booking = inventBooking(scene, provider);
  await scene.sandbox.addEvent(calendar, { title: scene.invent('title', 'Run'), ...slotAt(1) });
  await announce(scene, booking.make(1, 'booking.created', slotAt(5)));
  await scene.until('the wish', async () => (await readConnection(scene, connectionId)).sync_needed);
  const parked = await readConnection(scene, connectionId);
  await untilSwept(scene, 'due_connections', 4);
  const still = await readConnection(scene, connectionId);
  const shown = (await shownEvents(scene, calendar, booking)).length;
  notes.saw('[F-1] [F-3] workers park what comes: syncs, events written', [still.runs - parked.runs, shown], [0, 0]);

  await ops.setFlags(ALL_ON);
  const ms = await untilFree(scene, provider, SLOTS, [slotAt(2)]);
  await untilShown(scene, calendar, booking, slotAt(5));
  notes.did('switched it on again', { milliseconds: ms });
  notes.judged('[F-3] on again, the parked work ran', true, ms, 'both ways');
}

/** The other three flags, each at its own door. */
async function turnOffTheDoors(scene: Scene, provider: DrilledProvider): Promise<void> {
  const { notes, ops } = scene;
  const notifier = await openNotifier(scene, provider);
  let key = 0;
  const doors: readonly [flag: string, ask: () => Promise<number>, open: number][] = [
    ['CALENDAR_WEBHOOK_ENABLED', async () => (await notifier.send(++key)).status, 200],
    ['CALENDAR_OAUTH_ENABLED', () => askForLink(scene, provider.providerId), 201],
    ['CALENDAR_SYNC_ENABLED', () => askForSync(scene, provider.providerId), 202],
  ];
  for (const [flag, ask, open] of doors) {
    await ops.setFlags({ [flag]: false });
    const offMs = await scene.until(`${flag} to be off`, async () => (await ask()) === 403);
    await ops.setFlags(ALL_ON);
    const onMs = await scene.until(`${flag} to be on`, async () => (await ask()) === open);
    notes.judged(
      `[F-1] ${flag} closes and opens its door`,
      Math.max(offMs, onMs) <= PROMISE_MS,
      [offMs, onMs],
      `each within ${PROMISE_MS} ms`,
    );
  }
  await ops.setFlags({ CALENDAR_JOBS_ENABLED: false });
  await untilQuietForJobs(scene, provider);
  await ops.setFlags(ALL_ON);
  const { sync_needed: isNeeded } = await readWhenQuiet(scene, provider.connectionId);
  notes.saw('[F-1] CALENDAR_JOBS_ENABLED on again, the parked job ran', isNeeded, false);
}

async function untilQuietForJobs(scene: Scene, provider: DrilledProvider): Promise<void> {
  // In force everywhere once two seconds are over, whoever asks.
  await untilSwept(scene, 'due_connections', 8);
  const before = await readConnection(scene, provider.connectionId);
  const status = await askForSync(scene, provider.providerId);
  await untilSwept(scene, 'due_connections', 4);
  const after = await readConnection(scene, provider.connectionId);
  scene.notes.saw(
    '[F-1] CALENDAR_JOBS_ENABLED off: the wish is taken, its job parked',
    [status, after.runs - before.runs, after.sync_needed],
    [202, 0, true],
  );
}

async function toggleUnderLoad(scene: Scene, provider: DrilledProvider): Promise<void> {
  const { notes, ops } = scene;
  const linesBefore = scene.owned.lines.length;
  const before = await readConnection(scene, provider.connectionId);
  const bookings = Array.from({ length: LOAD }, () => inventBooking(scene, provider));
  const load = async () => {
    for (const [index, booking] of bookings.entries()) {
      await announce(scene, booking.make(1, 'booking.created', slotAt(24 + index)));
      const title = scene.invent('title', 'Walk');
      await scene.sandbox.addEvent(provider.calendar, { title, ...slotAt(48 + index) });
    }
  };
  const toggle = async () => {
    for (let count = 0; count < TOGGLES; count += 1) {
      const isOn = count % 2 === 1;
      await ops.setFlags({ CALENDAR_SYNC_ENABLED: isOn, CALENDAR_JOBS_ENABLED: isOn });
    }
  };
  await Promise.all([load(), toggle()]);
  await ops.setFlags(ALL_ON);
  for (const [index, booking] of bookings.entries()) {
    await untilShown(scene, provider.calendar, booking, slotAt(24 + index));
  }
  const after = await readWhenQuiet(scene, provider.connectionId);
  notes.did(`turned two flags ${TOGGLES} times under load`, { bookings: LOAD, events: LOAD });
  notes.saw('[F-3] every change arrived and every booking shows once', after.intervals - before.intervals, LOAD);
  notes.saw('[F-3] no process logged an error', countLines(scene, linesBefore, 'error'), 0);
}

async function askForSync(scene: Scene, providerId: string): Promise<number> {
  return (await scene.ingress.request('POST', '/api/calendar/sync', { provider_id: providerId })).status;
}

async function askForLink(scene: Scene, providerId: string): Promise<number> {
  const wish = { provider_id: providerId, calendar_provider: 'google' };
  return (await scene.ingress.request('POST', '/api/calendar/connect-links', wish)).status;
}
