/** Bookings of a drilled provider, and what the calendar shows of them. */
import { randomUUID } from 'node:crypto';
import {
  type BookingEventType,
  makeBookingEvent,
  type SandboxCalendar,
  type SandboxEvent,
  type Slot,
} from '@bookiji/local-fleet';
import type { DrilledProvider } from './connect.ts';
import type { Scene } from './scene.ts';
import { drilledSpan, isSameSlot } from './slots.ts';

export type BookingMessage = ReturnType<typeof makeBookingEvent>;

export interface DrilledBooking {
  readonly bookingId: string;
  /** The event's title, used by no other booking. */
  readonly title: string;
  make(version: number, type: BookingEventType, slot: Slot): BookingMessage;
}

export function inventBooking(scene: Scene, provider: Pick<DrilledProvider, 'providerId'>): DrilledBooking {
  const bookingId = randomUUID();
  const title = scene.invent('title', 'Haircut');
  const guest = scene.target.privateWords.keep('address', `guest-${bookingId.slice(0, 13)}@guests.example`);
  const name = scene.invent('name', 'Robin');
  const notes = scene.invent('notes', 'second floor');
  const identity = { bookingId, providerId: provider.providerId };
  const made: { version: number; slot: Slot }[] = [];
  scene.cleanUp('a booking', () => cancel(scene, identity, made));
  return {
    bookingId,
    title,
    make(version, type, slot) {
      made.push({ version, slot });
      const event = makeBookingEvent({ ...identity, version, type, slot, title });
      const { booking } = event;
      return { ...event, booking: { ...booking, notes, attendee: { name, email: guest } } } as BookingMessage;
    },
  };
}

/** By a version that is above all others, with words of nobody: what a cancellation leaves out is kept as it was. */
async function cancel(
  scene: Scene,
  identity: { readonly bookingId: string; readonly providerId: string },
  made: readonly { readonly version: number; readonly slot: Slot }[],
): Promise<void> {
  const last = made.at(-1);
  if (last === undefined) return;
  const version = Math.max(...made.map((one) => one.version)) + 1;
  const title = 'A drill that is over';
  const event = makeBookingEvent({ ...identity, version, type: 'booking.cancelled', slot: last.slot, title });
  const { status } = await announce(scene, event);
  if (status !== 202) throw new Error(`cancelling answered ${status}`);
}

/** Over HTTP; the booking events' queue is {@link publish}. */
export async function announce(scene: Scene, event: BookingMessage): Promise<{ status: number; accepted: unknown }> {
  const { status, body } = await scene.ingress.request<{ accepted?: boolean }>(
    'POST',
    '/api/calendar/booking-events',
    event,
  );
  return { status, accepted: body.accepted ?? null };
}

/** The living events of a booking, by its title. */
export async function shownEvents(
  scene: Scene,
  calendar: SandboxCalendar,
  booking: DrilledBooking,
): Promise<SandboxEvent[]> {
  const events = await scene.sandbox.listEvents(calendar, ...drilledSpan());
  return events.filter(({ title }) => title === booking.title);
}

/** Resolves when the booking shows exactly once, at this slot; never, for null. Milliseconds. */
export function untilShown(
  scene: Scene,
  calendar: SandboxCalendar,
  booking: DrilledBooking,
  slot: Slot | null,
): Promise<number> {
  const wish = slot === null ? 'gone from' : 'shown once in';
  return scene.until(`the booking to be ${wish} the calendar at ${calendar.calendarProvider}`, async () => {
    const [event, ...more] = await shownEvents(scene, calendar, booking);
    if (slot === null || event === undefined) return slot === null && event === undefined;
    return more.length === 0 && isSameSlot(event, slot);
  });
}

/** How many events were ever made for a booking in this calendar, living or not. */
export async function countCreations(scene: Scene, calendar: SandboxCalendar, booking: DrilledBooking) {
  const query = `calendar_provider=${calendar.calendarProvider}&calendar=${encodeURIComponent(calendar.email)}`;
  const { entries } = await scene.sandbox.order<{ entries: { operation: string; title: string | null }[] }>(
    'GET',
    `/history?${query}&author=client`,
  );
  return entries.filter(({ operation, title }) => operation === 'create' && title === booking.title).length;
}
