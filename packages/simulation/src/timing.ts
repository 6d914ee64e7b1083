/**
 * The times of the simulated fleet, milliseconds unless said otherwise. They are the real fleet's, which a test holds
 * them to; only waits after failures are shorter, so that a retry meets what is late instead of coming long after it.
 */
import { LEASE_MS } from '@bookiji/db';

export { LEASE_MS };

/** The default of the setting of that name. Longer than a lease: a call that is waited for keeps it. */
export const PROVIDER_TIMEOUT_MS = 8_000;
/** A queue gives a silent worker's job to another once its lock is over and was looked at. */
export const STALLED_MS = 7_000;
export const SWEEP_MS = 2_000;
export const RECONCILE_SECONDS = 300;

/** A failed job, and a booking service or calendar that was not heard, try again after this long. */
export const RETRY_MS = 1_000;
export const BACKOFF = { baseSeconds: 1, maxSeconds: 10 } as const;

/** How long what freezes or is late stays away: within a lease, about as long as one, and long after it. */
export const AWAY_MS = [LEASE_MS / 4, LEASE_MS, 3 * LEASE_MS] as const;
/** When people do things: at once, or about when something that went wrong in the beginning comes back. */
export const DELAYS_MS = [0, 0, ...AWAY_MS, PROVIDER_TIMEOUT_MS] as const;

/** The instant of what will not happen. */
export const NEVER = Number.POSITIVE_INFINITY;
/** Looked up once: in a test's own context globals are slow, and these are asked for at every step. */
export const { min, max } = Math;
