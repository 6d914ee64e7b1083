import type { BookingEventType, Slot } from '@bookiji/local-fleet';
import type { Drill } from '../drill.ts';
import { announce, countCreations, inventBooking, shownEvents, untilShown } from '../scene/bookings.ts';
import { connectProvider, type DrilledProvider } from '../scene/connect.ts';
import type { Scene } from '../scene/scene.ts';
import { isSameSlot, slotAt } from '../scene/slots.ts';

export const exactlyOnce: Drill = {
  name: 'exactly-once',
  title: 'Booking events that come twice, at once, in any order or after a lost answer leave one event',
  proves: ['O-3'],
  needs: ['sandbox'],
  phase: 'calm',
  async run(scene) {
    for (const at of ['google', 'microsoft'] as const) {
      const provider = await connectProvider(scene, at);
      await playRepeated(scene, provider);
      await playReordered(scene, provider);
      // How long a fleet waits before it tries again is known of our own alone.
      if (scene.target.owned !== null) await playLostAnswer(scene, provider);
    }
  },
};

type Version = readonly [version: number, type: BookingEventType, slot: Slot];

async function playRepeated(scene: Scene, provider: DrilledProvider): Promise<void> {
  const booking = inventBooking(scene, provider);
  const event = booking.make(1, 'booking.created', slotAt(4));
  const answers = await Promise.all(Array.from({ length: 10 }, () => announce(scene, event)));
  const accepted = answers.filter((answer) => answer.accepted === true).length;
  const at = provider.calendar.calendarProvider;
  scene.notes.did(`${at}: announced the same booking ten times at once`, { accepted });
  scene.notes.saw(`[O-3] ${at}: one of ten was accepted, the others were superseded`, accepted, 1);
  await untilShown(scene, provider.calendar, booking, slotAt(4));
  const made = await countCreations(scene, provider.calendar, booking);
  scene.notes.saw(`[O-3] ${at}: ten announcements made one event`, made, 1);
}

/** The newest first, then the rest at once: the older ones change nothing. */
async function playReordered(scene: Scene, provider: DrilledProvider): Promise<void> {
  const booking = inventBooking(scene, provider);
  const versions: readonly Version[] = [
    [4, 'booking.updated', slotAt(7)],
    [1, 'booking.created', slotAt(4)],
    [3, 'booking.cancelled', slotAt(6)],
    [2, 'booking.updated', slotAt(5)],
  ];
  const [newest, ...older] = versions as [Version, ...Version[]];
  await announce(scene, booking.make(...newest));
  const answers = await Promise.all(older.map((version) => announce(scene, booking.make(...version))));
  const at = provider.calendar.calendarProvider;
  scene.notes.did(`${at}: announced four versions, the newest first`, { announced: versions.length });
  const taken = answers.map(({ accepted }) => accepted);
  scene.notes.saw(`[O-3] ${at}: older versions are superseded`, taken, [false, false, false]);
  await untilShown(scene, provider.calendar, booking, slotAt(7));
  await sawOneEvent(scene, provider, booking, slotAt(7), 'reordered versions');
}

/** The event is written, the answer never arrives: the fleet must find out instead of writing again. */
async function playLostAnswer(scene: Scene, provider: DrilledProvider): Promise<void> {
  const { calendarProvider: at, email } = provider.calendar;
  const booking = inventBooking(scene, provider);
  const fault = { provider: at, user: email, operation: 'events.insert', lost_answer: true, times: 1 };
  const { id } = await scene.sandbox.order<{ id: number }>('POST', '/faults', fault);
  scene.cleanUp('the lost answer', () => scene.sandbox.order('DELETE', `/faults?id=${id}`));
  await announce(scene, booking.make(1, 'booking.created', slotAt(4)));
  await untilShown(scene, provider.calendar, booking, slotAt(4));
  await announce(scene, booking.make(2, 'booking.updated', slotAt(8)));
  const ms = await untilShown(scene, provider.calendar, booking, slotAt(8));
  scene.notes.did(`${at}: lost the answer to a create, then moved the booking`, { milliseconds: ms });
  const { faults } = await scene.sandbox.order<{ faults: { id: number; fired: number }[] }>('GET', '/faults');
  const fired = faults.find((one) => one.id === id)?.fired;
  scene.notes.saw(`[O-3] ${at}: the answer was lost once`, fired, 1);
  await sawOneEvent(scene, provider, booking, slotAt(8), 'a lost answer');
}

async function sawOneEvent(
  scene: Scene,
  provider: DrilledProvider,
  booking: ReturnType<typeof inventBooking>,
  slot: Slot,
  after: string,
): Promise<void> {
  const events = await shownEvents(scene, provider.calendar, booking);
  const isRight = events.length === 1 && events.every((event) => isSameSlot(event, slot));
  const made = await countCreations(scene, provider.calendar, booking);
  const at = provider.calendar.calendarProvider;
  scene.notes.saw(`[O-3] ${at}: ${after} left one event, where it belongs`, [isRight, made], [true, 1]);
}
