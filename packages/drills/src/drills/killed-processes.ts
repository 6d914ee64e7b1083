import type { Role } from '@bookiji/local-fleet';
import type { Drill } from '../drill.ts';
import { untilFree } from '../scene/availability.ts';
import { announce, countCreations, inventBooking, untilShown } from '../scene/bookings.ts';
import { connectProvider, type DrilledProvider } from '../scene/connect.ts';
import { orderFault } from '../scene/faults.ts';
import { readConnection, readWhenQuiet, untilQuiet } from '../scene/rows.ts';
import type { Scene } from '../scene/scene.ts';
import { slotAt } from '../scene/slots.ts';

const SLOTS = [slotAt(0), slotAt(1), slotAt(2)];
/** How long the calendar provider holds a request, so that the process dies in the middle of it. */
const HOLD_MS = 1_500;

export const killedProcesses: Drill = {
  name: 'killed-processes',
  title: 'Processes that are killed in the middle of their work cost time and nothing else',
  proves: ['R-2', 'W-7'],
  needs: ['sandbox', 'owned'],
  phase: 'alone',
  async run(scene) {
    const provider = await connectProvider(scene, 'google');
    await untilQuiet(scene, provider.connectionId);
    await killWhileWriting(scene, provider);
    await killWhileReading(scene, provider);
    await killIngress(scene, provider);
    await killSweeper(scene, provider);
  },
};

/** The event is in the calendar, the answer on its way: nobody is left to hear it. */
async function killWhileWriting(scene: Scene, provider: DrilledProvider): Promise<void> {
  const booking = inventBooking(scene, provider);
  const { email, calendarProvider } = provider.calendar;
  const held = await orderFault(scene, {
    provider: calendarProvider,
    user: email,
    operation: 'events.insert',
    answer_latency_ms: HOLD_MS,
    times: 1,
  });
  await announce(scene, booking.make(1, 'booking.created', slotAt(4)));
  await scene.until('the write to begin', async () => (await held.fired()) === 1);
  await kill(scene, 'outbound-worker');
  await announce(scene, booking.make(2, 'booking.updated', slotAt(6)));
  const ms = await untilShown(scene, provider.calendar, booking, slotAt(6));
  scene.notes.did('killed the outbound worker between write and answer', { milliseconds: ms });
  const made = await countCreations(scene, provider.calendar, booking);
  scene.notes.saw('[R-2] outbound worker killed: one event, moved, was ever made', made, 1);
}

async function killWhileReading(scene: Scene, provider: DrilledProvider): Promise<void> {
  const { email, calendarProvider } = provider.calendar;
  const held = await orderFault(scene, {
    provider: calendarProvider,
    user: email,
    operation: 'events.list',
    answer_latency_ms: HOLD_MS,
    times: 1,
  });
  const event = await scene.sandbox.addEvent(provider.calendar, { title: scene.invent('title', 'Swim'), ...slotAt(1) });
  await scene.until('the reading to begin', async () => (await held.fired()) === 1);
  await kill(scene, 'inbound-worker');
  const ms = await untilFree(scene, provider, SLOTS, [slotAt(0), slotAt(2)]);
  scene.notes.did('killed the inbound worker while it read', { milliseconds: ms });
  const { intervals } = await readConnection(scene, provider.connectionId);
  scene.notes.saw('[R-2] inbound worker killed: the change is there, once', intervals, 1);
  await scene.sandbox.deleteEvent(provider.calendar, event.id);
  await untilFree(scene, provider, SLOTS, SLOTS);
}

/** The calendar provider finds the door closed and comes again. */
async function killIngress(scene: Scene, provider: DrilledProvider): Promise<void> {
  const before = await readWhenQuiet(scene, provider.connectionId);
  await kill(scene, 'ingress');
  await scene.sandbox.addEvent(provider.calendar, { title: scene.invent('title', 'Run'), ...slotAt(2) });
  await scene.owned.ready();
  const ms = await untilFree(scene, provider, SLOTS, SLOTS.slice(0, 2));
  const after = await readWhenQuiet(scene, provider.connectionId);
  scene.notes.did('killed ingress before the calendar changed', { milliseconds: ms });
  scene.notes.saw(
    '[W-7] ingress killed: the repeated notification was processed once',
    after.deliveries - before.deliveries,
    1,
  );
}

/** A wish whose ring is lost, while nobody sweeps. */
async function killSweeper(scene: Scene, provider: DrilledProvider): Promise<void> {
  await kill(scene, 'retry-worker');
  await scene.owned.database.sql`
    UPDATE external_calendar_connections SET requested = requested + 1 WHERE id = ${provider.connectionId}`;
  const ms = await untilQuiet(scene, provider.connectionId);
  scene.notes.did('killed the retry worker and lost a ring', { milliseconds: ms });
  scene.notes.judged('[R-2] retry worker killed: the sweep found the work afterwards', true, ms, 'found');
}

/** SIGKILL; resolves when another process of the role is ready. */
async function kill(scene: Scene, role: Role): Promise<void> {
  const before = scene.owned.pid(role);
  scene.owned.signal(role, 'SIGKILL');
  if (role === 'ingress') return;
  await scene.until(`another ${role}`, () => {
    const now = scene.owned.pid(role);
    return now !== undefined && now !== before;
  });
}
