import { AWAY_MS, type Doing, START } from '../src/index.ts';

const HOUR_MS = 3_600_000;

/** The versions of one booking, each announced so long after the start and an hour later than the one before. */
function versions(...announced: readonly (readonly ['live' | 'cancelled', afterMs: number])[]): Doing[] {
  return announced.map(([state, afterMs], index) => ({
    kind: 'publish',
    bookingId: '00000000-0000-4000-8000-00000000b001',
    version: index + 1,
    state,
    startAt: new Date(START + (24 + index) * HOUR_MS),
    endAt: new Date(START + (25 + index) * HOUR_MS),
    afterMs,
  }));
}

/** The later versions come before the lease of whoever died or froze over the first one is over. */
const SOON = AWAY_MS[0];

/** Two lives after each other before what was late in the first one arrives. */
const TWO_LIVES = versions(['live', 0], ['cancelled', 10_000], ['live', 12_000]);

/** What happens to the booking, by name. */
export const WORKLOADS = {
  'made and cancelled': versions(['live', 0], ['cancelled', SOON]),
  'made and moved': versions(['live', 0], ['live', SOON]),
  'made, cancelled and made again': versions(['live', 0], ['cancelled', SOON], ['live', SOON]),
  'made, cancelled and made again before the late one arrives': TWO_LIVES,
} as const satisfies Record<string, Doing[]>;
export type WorkloadName = keyof typeof WORKLOADS;
