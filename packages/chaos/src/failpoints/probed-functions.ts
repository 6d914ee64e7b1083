/**
 * The functions between which a process can be struck. Each is a step of DESIGN's flow: a statement, a ring, a call to a
 * calendar provider. The points are before and after each of them.
 */

/** Source file → exported functions that return promises. */
export const PROBED_FUNCTIONS: Readonly<Record<string, readonly string[]>> = {
  'packages/db/src/queries/deliveries.ts': ['recordDeliveries'],
  'packages/db/src/queries/booking-intents.ts': ['acceptBookingIntent'],
  'packages/db/src/queries/booking-outbox.ts': ['takeFromOutbox'],
  'packages/db/src/queries/effect-leases.ts': ['claimEffect', 'noteCreation'],
  'packages/db/src/queries/effect-results.ts': ['recordEffectSuccess', 'recordEffectFailure'],
  'packages/db/src/queries/due-effects.ts': ['findDueEffects'],
  'packages/db/src/queries/known-effects.ts': ['findKnownEffects'],
  'packages/db/src/queries/sync-leases.ts': ['claimSync'],
  'packages/db/src/queries/sync-results.ts': ['recordSyncSuccess', 'recordSyncFailure'],
  'packages/db/src/queries/sync-requests.ts': ['findDueConnections'],
  'packages/db/src/queries/staged-pages.ts': ['clearStagedPages', 'stagePage'],
  'packages/db/src/queries/apply-round.ts': ['applyIncrement', 'applyFullRound'],
  'packages/db/src/queries/store-increment.ts': ['storeIncrement'],
  'packages/db/src/queries/credentials.ts': ['claimRefresh', 'storeRefreshedTokens'],
  'packages/db/src/queries/channels.ts': ['insertRegisteringChannel', 'activateChannel'],
  'packages/db/src/queries/sweep-turns.ts': ['takeSweepTurn'],
  'packages/queues/src/doorbells.ts': ['ringInboundSyncs', 'ringOutboundSyncs'],
  'packages/sync/src/outbound/converge-booking.ts': ['convergeBooking'],
  'packages/sync/src/inbound/sync-connection.ts': ['syncConnection'],
};

/** Source file → functions that make an object whose methods are calls to a calendar provider: `call.<method>`. */
export const PROBED_PORTS: Readonly<Record<string, string>> = {
  'packages/providers/src/google/google-adapter.ts': 'createGoogleAdapter',
  'packages/providers/src/microsoft/microsoft-adapter.ts': 'createMicrosoftAdapter',
  'packages/providers/src/google/google-oauth.ts': 'createGoogleOAuth',
  'packages/providers/src/microsoft/microsoft-oauth.ts': 'createMicrosoftOAuth',
};

export const PROBED_CALLS = [
  'listChanges',
  'getEvent',
  'findEvent',
  'createEvent',
  'updateEvent',
  'deleteEvent',
  'openChannel',
  'renewChannel',
  'refresh',
] as const;
