/** A steady life of some calendars: as much is taken away as is added, so that what is kept stays as much as it is. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BookingDesk, type BookingEventType, makeBookingEvent, type Slot } from '@bookiji/local-fleet';
import type { Cast, ConnectedCalendar } from '../cast.ts';

export interface PopulationWish {
  /** How many of either are alive once the population is complete. */
  readonly events: number;
  readonly bookings: number;
  readonly perSecond: number;
}

export interface Population {
  /** From then on as much is taken away as is added. */
  isComplete(): boolean;
  /** Ends it: nothing new is begun, and what was begun is waited for. */
  stop(): Promise<void>;
  /** What was begun so far, by deed. */
  readonly counts: ReadonlyMap<Deed, number>;
  /** Deeds that the sandbox or the queue did not answer; what came of them is in the calendars all the same. */
  readonly unanswered: number;
  /** Left out because the machine stood still: a backlog is never played faster. */
  readonly leftOut: number;
  /** Owners' events that are alive: when each was last changed, by its id, milliseconds since 1970. */
  readonly changedAt: ReadonlyMap<string, number>;
  /** Live bookings → `start/end` of the newest version. */
  readonly bookings: ReadonlyMap<string, string>;
}

interface OwnedEvent {
  readonly calendar: ConnectedCalendar;
  readonly id: string;
}

interface Booking {
  readonly bookingId: string;
  readonly providerId: string;
  version: number;
  slot: Slot;
}

/** In this order, over and over. */
const DEEDS = ['add', 'move', 'book', 'remove', 'change', 'rebook', 'ask', 'cancel'] as const;
export type Deed = (typeof DEEDS)[number];

const HOUR_MS = 3_600_000;
/** Within the next sixty days. */
const SLOTS = 1_440;
/** A standstill longer than this is not made up for. */
const PATIENCE_MS = 1_000;

export function keepPopulation(
  cast: Cast,
  desk: BookingDesk,
  calendars: readonly ConnectedCalendar[],
  wish: PopulationWish,
): Population {
  const events: OwnedEvent[] = [];
  const booked: Booking[] = [];
  const changedAt = new Map<string, number>();
  const bookings = new Map<string, string>();
  const counts = new Map<Deed, number>();
  const underway = new Set<Promise<unknown>>();
  const pace = { isOver: false, unanswered: 0, leftOut: 0 };
  let number = 0;

  const nextCalendar = () => calendars[number % calendars.length] as ConnectedCalendar;
  const publish = (booking: Booking, type: BookingEventType) => desk.publish(makeBookingEvent({ ...booking, type }));
  /** The younger half is changed, the oldest is taken away: never both at once. */
  const young = <Item>(items: readonly Item[]) => items[items.length - 1 - (number % Math.ceil(items.length / 2))];
  const move = async () => {
    const event = young(events);
    if (event === undefined) return;
    await cast.sandbox.changeEvent(event.calendar, event.id, { ...spanOf(number) });
    changedAt.set(event.id, Date.now());
  };

  const carryOut: Record<Deed, () => Promise<unknown>> = {
    async add() {
      const calendar = nextCalendar();
      const { id } = await cast.sandbox.addEvent(calendar, { title: 'Dentist', ...spanOf(number) });
      events.push({ calendar, id });
      changedAt.set(id, Date.now());
    },
    move,
    change: move,
    async remove() {
      const event = events.length > wish.events ? events.shift() : undefined;
      if (event === undefined) return;
      changedAt.delete(event.id);
      await cast.sandbox.deleteEvent(event.calendar, event.id);
    },
    async book() {
      const slot = spanOf(number);
      const booking = { bookingId: randomUUID(), providerId: nextCalendar().providerId, version: 1, slot };
      booked.push(booking);
      bookings.set(booking.bookingId, `${slot.start}/${slot.end}`);
      await publish(booking, 'booking.created');
    },
    async rebook() {
      const booking = young(booked);
      if (booking === undefined) return;
      booking.version += 1;
      booking.slot = spanOf(number);
      bookings.set(booking.bookingId, `${booking.slot.start}/${booking.slot.end}`);
      await publish(booking, 'booking.updated');
    },
    async cancel() {
      const booking = booked.length > wish.bookings ? booked.shift() : undefined;
      if (booking === undefined) return;
      bookings.delete(booking.bookingId);
      booking.version += 1;
      await publish(booking, 'booking.cancelled');
    },
    ask: () => cast.ingress.availability(nextCalendar().providerId, [spanOf(number), spanOf(number + 1)]),
  };

  const begin = () => {
    const deed = DEEDS[number % DEEDS.length] as Deed;
    number += 1;
    counts.set(deed, (counts.get(deed) ?? 0) + 1);
    const done = carryOut[deed]()
      .catch(() => {
        pace.unanswered += 1;
      })
      .finally(() => underway.delete(done));
    underway.add(done);
  };
  const live = async () => {
    const everyMs = 1_000 / wish.perSecond;
    for (let dueAt = performance.now(); !pace.isOver; dueAt += everyMs) {
      const lateMs = performance.now() - dueAt;
      if (lateMs < 0) await sleep(-lateMs);
      if (lateMs > PATIENCE_MS) {
        pace.leftOut += Math.floor(lateMs / everyMs);
        dueAt += lateMs;
      }
      begin();
    }
    await Promise.all(underway);
  };
  const life = live();
  return {
    counts,
    changedAt,
    bookings,
    get unanswered() {
      return pace.unanswered;
    },
    get leftOut() {
      return pace.leftOut;
    },
    isComplete: () => events.length > wish.events && booked.length > wish.bookings,
    stop() {
      pace.isOver = true;
      return life;
    },
  };
}

function spanOf(number: number): Slot {
  const from = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + (24 + (number % SLOTS)) * HOUR_MS;
  return { start: new Date(from).toISOString(), end: new Date(from + HOUR_MS / 2).toISOString() };
}
