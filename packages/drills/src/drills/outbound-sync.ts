import type { Drill } from '../drill.ts';
import {
  announce,
  countCreations,
  type DrilledBooking,
  inventBooking,
  shownEvents,
  untilShown,
} from '../scene/bookings.ts';
import { connectProvider, type DrilledProvider } from '../scene/connect.ts';
import type { Scene } from '../scene/scene.ts';
import { slotAt } from '../scene/slots.ts';

export const outboundSync: Drill = {
  name: 'outbound-sync',
  title: 'A booking appears, moves and disappears in the calendar, at both calendar providers',
  proves: ['O-1', 'O-2'],
  needs: ['sandbox'],
  phase: 'calm',
  async run(scene) {
    for (const at of ['google', 'microsoft'] as const) await playBooking(scene, await connectProvider(scene, at));
    if (scene.target.owned !== null) await queueInvalidEvent(scene);
  },
};

async function playBooking(scene: Scene, provider: DrilledProvider): Promise<void> {
  const at = provider.calendar.calendarProvider;
  const booking = inventBooking(scene, provider);
  const steps = [
    ['booking.created', slotAt(4), slotAt(4), 'CREATED'],
    ['booking.updated', slotAt(6), slotAt(6), 'UPDATED'],
    ['booking.cancelled', slotAt(6), null, 'CANCELLED'],
  ] as const;
  const [shownUids, mappedUids] = [new Set<unknown>(), new Set<unknown>()];
  for (const [index, [type, slot, shown, status]] of steps.entries()) {
    const answer = await announce(scene, booking.make(index + 1, type, slot));
    scene.notes.saw(`[O-1] ${at}: ${type} is accepted`, answer, { status: 202, accepted: true });
    const ms = await untilShown(scene, provider.calendar, booking, shown);
    scene.notes.did(`${at}: ${type}`, { milliseconds: ms });
    scene.notes.judged(`[O-1] ${at}: after ${type} the calendar is right`, ms < 10_000, ms, 'right within 10000 ms');
    for (const event of await shownEvents(scene, provider.calendar, booking)) shownUids.add(event.ical_uid);
    if (scene.target.owned !== null) mappedUids.add(await untilMapped(scene, provider, booking, status));
  }
  scene.notes.saw(`[O-2] ${at}: the event's iCalendar id was the same at every step`, shownUids.size, 1);
  if (scene.target.owned !== null) {
    scene.notes.saw(`[O-2] ${at}: so was the mapping's`, mappedUids.size, 1);
  }
  const made = await countCreations(scene, provider.calendar, booking);
  scene.notes.saw(`[O-1] ${at}: one event was ever made for it`, made, 1);
}

/** The mapping follows the calendar: it is stored after the calendar provider has answered. */
async function untilMapped(scene: Scene, provider: DrilledProvider, booking: DrilledBooking, status: string) {
  const at = provider.calendar.calendarProvider;
  const read = () => scene.owned.database.sql`
    SELECT sync_status, is_busy, external_event_id IS NOT NULL AS has_event, last_error, ical_uid
      FROM external_calendar_events WHERE booking_id = ${booking.bookingId}`;
  await scene.until('the mapping', async () => (await read())[0]?.sync_status === status);
  const rows = await read();
  const { ical_uid: uid = null, ...mapping } = rows[0] ?? {};
  scene.notes.saw(
    `[O-1] ${at}: one mapping, ${status}`,
    [rows.length, mapping],
    [1, { sync_status: status, is_busy: status !== 'CANCELLED', has_event: true, last_error: null }],
  );
  return uid;
}

/** What does not validate is put aside with its reason, and what comes after it is not held up. */
async function queueInvalidEvent(scene: Scene): Promise<void> {
  const provider = await connectProvider(scene, 'google');
  const [bad, good] = [inventBooking(scene, provider), inventBooking(scene, provider)];
  const event = bad.make(1, 'booking.created', slotAt(8));
  const queue = scene.owned.desk.queues.queue('calendar-booking-events');
  await queue.add('booking.created', { ...event, version: 0 }, { jobId: event.event_id });
  await scene.owned.desk.publish(good.make(1, 'booking.created', slotAt(9)));
  const ms = await untilShown(scene, provider.calendar, good, slotAt(9));
  scene.notes.did('queued an invalid booking event, and a valid one after it', { milliseconds: ms });
  const { sql } = scene.owned.database;
  const find = () => sql`SELECT kind, reason FROM dead_letters WHERE payload->>'booking_id' = ${bad.bookingId}`;
  await scene.until('the dead letter', async () => (await find()).length > 0);
  scene.cleanUp('the dead letter', () => sql`DELETE FROM dead_letters WHERE payload->>'booking_id' = ${bad.bookingId}`);
  const [letter] = await find();
  scene.notes.judged(
    '[O-1] an invalid booking event is a dead letter that says why',
    letter?.kind === 'booking_event' && String(letter.reason).startsWith('version'),
    letter?.reason,
    'the field at fault',
  );
}
