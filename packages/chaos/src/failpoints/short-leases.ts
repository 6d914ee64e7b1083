/**
 * Leases and locks of seconds, cut down for processes with a probe: what happens once they are over is the same, and
 * comes sooner. Source file → what stands there, and what the probe puts in its place.
 */
export const SHORT_LEASES: Readonly<Record<string, readonly (readonly [stands: string, becomes: string])[]>> = {
  'packages/db/src/queries/sync-leases.ts': [['LEASE_MS = 5_000', 'LEASE_MS = 2_000']],
  'packages/queues/src/transport.ts': [
    ['lockDuration: 5_000, stalledInterval: 2_000', 'lockDuration: 2_000, stalledInterval: 1_000'],
  ],
  'packages/sync/src/connections/token-source.ts': [
    ['REFRESH_LEASE_MS = 10_000', 'REFRESH_LEASE_MS = 3_000'],
    ['REFRESH_AT_MOST_MS = 9_000', 'REFRESH_AT_MOST_MS = 2_500'],
  ],
};

/** Longer than the leases of connections and bookings, and than the locks of jobs. */
export const PAST_THE_LEASE_MS = 2_500;
