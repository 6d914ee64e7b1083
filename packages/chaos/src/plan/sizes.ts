/** How large a run is. */
import type { RunSize } from './plan-run.ts';

/** What the promise names, and every change to the repository has to pass; two to three minutes on two cores. */
export const FULL_SIZE: RunSize = {
  connectionsPerProvider: 12,
  bookings: 4_050,
  intents: 8_100,
  ownerActs: 1_600,
  forgeries: 2_500,
  ticks: 120,
  processFaults: { kill: 22, freeze: 8, redis_flush: 8, redis_kill: 6, redis_freeze: 4, postgres_crash: 7 },
  providerOrders: { outage: 3, expire_cursors: 5, expire_tokens: 4 },
};

/** Little of everything, many changes of each booking: for runs that must fail, beside providers that are harsh. */
export const CONTROL_SIZE: RunSize = {
  connectionsPerProvider: 6,
  bookings: 120,
  intents: 720,
  ownerActs: 40,
  forgeries: 20,
  ticks: 16,
  processFaults: { kill: 2, freeze: 0, redis_flush: 6, redis_kill: 1, redis_freeze: 0, postgres_crash: 1 },
  providerOrders: { outage: 0, expire_cursors: 1, expire_tokens: 0 },
};

/** A day on which each missing defence is missed. */
export const CONTROL_SEED = 7;

/** So many times a size. */
export function scaleSize(size: RunSize, times: number): RunSize {
  const scaled = (count: number) => Math.ceil(count * times);
  const each = <Kind extends string>(counts: Readonly<Record<Kind, number>>) =>
    Object.fromEntries(Object.entries<number>(counts).map(([kind, count]) => [kind, scaled(count)])) as Record<
      Kind,
      number
    >;
  return {
    connectionsPerProvider: size.connectionsPerProvider,
    bookings: scaled(size.bookings),
    intents: scaled(size.intents),
    ownerActs: scaled(size.ownerActs),
    forgeries: scaled(size.forgeries),
    ticks: scaled(size.ticks),
    processFaults: each(size.processFaults),
    providerOrders: each(size.providerOrders),
  };
}
