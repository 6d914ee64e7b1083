/** What people do to the system during a run: bookings change, and the owner changes the calendar. Made from the seed. */
import type { Random } from './random.ts';
import { DELAYS_MS } from './timing.ts';

export interface Announcement {
  readonly kind: 'publish';
  readonly bookingId: string;
  readonly version: number;
  readonly state: 'live' | 'cancelled';
  readonly startAt: Date;
  readonly endAt: Date;
}

export type OwnersDoing =
  | {
      readonly kind: 'put';
      readonly eventId: string;
      readonly startAt: Date;
      readonly endAt: Date;
      readonly blocks: boolean;
    }
  | { readonly kind: 'remove'; readonly eventId: string };

export type Doing = (Announcement | OwnersDoing) & {
  /** Not before so long after the start, milliseconds. */
  readonly afterMs: number;
};

export const START = Date.UTC(2026, 10, 21, 12);
export const CONNECTION_ID = '00000000-0000-4000-8000-00000000000c';
export const PROVIDER_ID = '00000000-0000-4000-8000-00000000000a';
/** What is kept in sync, from the moment of a full round on. */
export const WINDOW = { pastDays: 1, futureDays: 90 } as const;
/** Where it does not reach for a long time. */
const BEYOND_DAYS = 400;
const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** By then the window in sync has rolled over what lay beyond it. */
export const BEYOND_REACHED = START + (BEYOND_DAYS - 30) * DAY_MS;
const bookingIdOf = (number: number) => `00000000-0000-4000-8000-00000000b00${number}`;

/** Two to seven doings: up to four versions of one or two bookings, and up to three of the owner's. */
export function makeWorkload(random: Random): Doing[] {
  const doings: (Announcement | OwnersDoing)[] = [];
  const bookings = 1 + random.below(2);
  for (let number = 1; number <= bookings; number += 1) doings.push(...makeVersions(bookingIdOf(number), random));
  const owners = random.below(4);
  for (let count = 0; count < owners; count += 1) doings.push(makeOwnersDoing(random));
  return shuffle(doings, random)
    .map((doing) => ({ ...doing, afterMs: random.pick(DELAYS_MS) }))
    .sort((a, b) => a.afterMs - b.afterMs);
}

function makeVersions(bookingId: string, random: Random): Announcement[] {
  const versions = 1 + random.below(3) + random.below(2);
  return Array.from({ length: versions }, (_, index): Announcement => {
    const state = random.below(3) === 0 ? 'cancelled' : 'live';
    return { kind: 'publish', bookingId, version: index + 1, state, ...makeSpan(random) };
  });
}

function makeOwnersDoing(random: Random): OwnersDoing {
  const eventId = random.pick(['owners-1', 'owners-2', 'owners-3']);
  if (random.below(3) === 0) return { kind: 'remove', eventId };
  return { kind: 'put', eventId, blocks: random.below(4) > 0, ...makeSpan(random) };
}

/** Mostly inside the window in sync, sometimes beyond it. */
function makeSpan(random: Random): { startAt: Date; endAt: Date } {
  const days = random.below(8) === 0 ? BEYOND_DAYS : 1 + random.below(30);
  const startAt = START + days * DAY_MS + random.below(8) * HOUR_MS;
  return { startAt: new Date(startAt), endAt: new Date(startAt + HOUR_MS) };
}

function shuffle<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  const shuffled: T[] = [];
  while (left.length > 0) shuffled.push(...left.splice(random.below(left.length), 1));
  return shuffled;
}
