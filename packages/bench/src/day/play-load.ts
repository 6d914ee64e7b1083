/** Plays planned orders at their times against a running fleet, and remembers when what was done. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BookingDesk, makeBookingEvent } from '@bookiji/local-fleet';
import type { Cast, ConnectedCalendar } from '../cast.ts';
import { type Order, SERIES_NOTIFICATIONS } from './plan-load.ts';

/** All times in milliseconds since 1970, by this machine's clock. */
export interface PlayedLoad {
  /** When each owner's event was last changed, by its id. */
  readonly changedAt: ReadonlyMap<string, number>;
  /** When each booking was published, by its id. */
  readonly bookedAt: ReadonlyMap<string, number>;
  /** Booking → `start/end`. */
  readonly slots: ReadonlyMap<string, string>;
  /** Orders that the sandbox did not answer; what came of them is in its list all the same. */
  readonly unanswered: number;
  /** How late the latest order was given; more than a little says that the load itself could not keep up. */
  readonly latestMs: number;
}

/** Between two edits of one series. */
const EDIT_MS = 150;
const HOUR_MS = 3_600_000;

export async function playLoad(
  cast: Cast,
  desk: BookingDesk,
  calendars: readonly ConnectedCalendar[],
  orders: readonly Order[],
  say: (line: string) => void = () => undefined,
): Promise<PlayedLoad> {
  const changedAt = new Map<string, number>();
  const bookedAt = new Map<string, number>();
  const slots = new Map<string, string>();
  const underway = new Set<Promise<unknown>>();
  const startedAt = performance.now();
  let latestMs = 0;
  let unanswered = 0;
  let number = 0;

  const carryOut = async ({ deed, calendar: index }: Order) => {
    const calendar = calendars[index] as ConnectedCalendar;
    number += 1;
    const later = (offsetHours: number) => spanOf(number + offsetHours);
    if (deed === 'booking') {
      const bookingId = randomUUID();
      const slot = spanOf(number);
      bookedAt.set(bookingId, Date.now());
      slots.set(bookingId, `${slot.start}/${slot.end}`);
      return book(desk, calendar, bookingId, slot);
    }
    const { id } = await cast.sandbox.addEvent(calendar, { title: 'Dentist', ...spanOf(number) });
    changedAt.set(id, Date.now());
    if (deed === 'event') return;
    for (let edit = 1; edit < SERIES_NOTIFICATIONS; edit += 1) {
      await sleep(EDIT_MS);
      await cast.sandbox.changeEvent(calendar, id, { ...later(edit) });
      changedAt.set(id, Date.now());
    }
  };

  for (const [at, order] of orders.entries()) {
    if (at > 0 && at % Math.ceil(orders.length / 10) === 0) say(`${at} of ${orders.length} orders given`);
    const lateMs = performance.now() - startedAt - order.atMs;
    if (lateMs < 0) await sleep(-lateMs);
    latestMs = Math.max(latestMs, lateMs);
    const deed = carryOut(order)
      .catch(() => {
        unanswered += 1;
      })
      .finally(() => underway.delete(deed));
    underway.add(deed);
  }
  await Promise.all(underway);
  return { changedAt, bookedAt, slots, unanswered, latestMs };
}

async function book(
  desk: BookingDesk,
  { providerId }: ConnectedCalendar,
  bookingId: string,
  slot: { start: string; end: string },
): Promise<void> {
  await desk.publish(makeBookingEvent({ bookingId, providerId, version: 1, type: 'booking.created', slot }));
}

/** Within the next sixty days. */
function spanOf(number: number): { start: string; end: string } {
  const start = new Date(Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + (24 + (number % 1_440)) * HOUR_MS);
  return { start: start.toISOString(), end: new Date(start.getTime() + HOUR_MS / 2).toISOString() };
}
