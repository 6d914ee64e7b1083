/** A day of many providers, planned before it is played: who does what when. Pure. */

export type Deed =
  /** The owner adds an event: one notification. */
  | 'event'
  /** The owner adds a series and moves it about until it suits: several notifications of one calendar within a second. */
  | 'series'
  /** Somebody books; what is written comes back as one notification. */
  | 'booking';

export interface Order {
  /** Since the day began. */
  readonly atMs: number;
  readonly calendar: number;
  readonly deed: Deed;
}

export interface LoadWish {
  readonly calendars: number;
  readonly notifications: number;
  readonly bookings: number;
  /** How long the whole day takes to play. */
  readonly seconds: number;
}

/** Notifications of one `series`. */
export const SERIES_NOTIFICATIONS = 4;
/** Of what owners do, counted in notifications. */
const SHARE_OF_SERIES = 0.4;

/** How busy each of a day's hours is, by the calendars' own clocks: a high morning, a lower afternoon, little at night. */
const HOURS = [1, 1, 1, 1, 1, 2, 4, 7, 10, 10, 9, 8, 6, 7, 8, 8, 7, 6, 5, 4, 3, 3, 2, 1];
/** What owners all over a continent do is spread by its time zones; this share comes whatever the hour. */
const SHARE_OF_EVEN = 0.6;

/** @param random in [0, 1). @returns orders in the order of their times. */
export function planLoad({ calendars, notifications, bookings, seconds }: LoadWish, random: () => number): Order[] {
  const byOwners = Math.max(0, notifications - bookings);
  const series = Math.round((byOwners * SHARE_OF_SERIES) / SERIES_NOTIFICATIONS);
  const counts: Record<Deed, number> = { booking: bookings, series, event: byOwners - series * SERIES_NOTIFICATIONS };
  const orders: Order[] = [];
  for (const deed of ['booking', 'series', 'event'] as const) {
    for (let left = counts[deed]; left > 0; left -= 1) {
      const atMs = drawShare(random) * seconds * 1_000;
      orders.push({ atMs, calendar: Math.floor(random() * calendars), deed });
    }
  }
  return orders.sort((one, other) => one.atMs - other.atMs);
}

/** A moment of the day, as a share of it. */
function drawShare(random: () => number): number {
  if (random() < SHARE_OF_EVEN) return random();
  let rest = random() * HOURS.reduce((sum, weight) => sum + weight, 0);
  const hour = HOURS.findIndex((weight) => {
    rest -= weight;
    return rest < 0;
  });
  return (hour + random()) / HOURS.length;
}
