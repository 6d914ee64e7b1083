export {
  type Database,
  type DatabaseHandle,
  mayCreateSchemas,
  openDatabase,
  readDatabaseTime,
  requireSessionLimits,
} from './client.ts';
export { classifyFailure, databaseCode, isDatabaseFailure, isDataError } from './data-error.ts';
export type { Allowlists } from './queries/allowlists.ts';
export { applyFullRound, applyIncrement, beginFirstRound, storeFirstPage } from './queries/apply-round.ts';
export {
  type AuditFindings,
  countMismatches,
  type OwnBooking,
  readFindings,
  readOwnBookings,
  readStoredChecksums,
  recordAudit,
  requestFullSync,
  restoreMapping,
  rewriteBookings,
  takeDueAudits,
} from './queries/audits.ts';
export {
  findBookingsToAdopt,
  hastenAdoption,
  insertAdoptions,
  noteAdoption,
  type SeenByRound,
  settleAdoptions,
  takeDueAdoptions,
} from './queries/booking-adoptions.ts';
export {
  type AcceptedBooking,
  acceptBookingIntent,
  type BookingIntent,
  StrangeProviderError,
} from './queries/booking-intents.ts';
export { type MappingRow, renameMapping } from './queries/booking-mappings.ts';
export { listWaitingEvents, pruneOutbox, takeFromOutbox, type WaitingEvent } from './queries/booking-outbox.ts';
export { pruneBookings } from './queries/booking-retention.ts';
export {
  type AppliedCounts,
  type BusyInterval,
  type IntervalChanges,
  type IntervalOwner,
  listBusyIntervals,
} from './queries/busy-intervals.ts';
export {
  activateChannel,
  type ChannelInUse,
  findConnectionsToWatch,
  insertRegisteringChannel,
  listChannelsInUse,
  listChannelsOf,
  noteOpenedLate,
  noteUpkeep,
  pruneChannels,
  requestRenewal,
  setChannelState,
  type UpkeepSettings,
} from './queries/channels.ts';
export { pruneConnectLinks, useConnectLink } from './queries/connect-links.ts';
export {
  eraseConnection,
  findConnection,
  listChannelExpiries,
  listConnectionsOf,
  parkConnection,
  type StoredGrant,
  storeGrant,
} from './queries/connections.ts';
export {
  CONNECTION_STATES,
  type ConnectionCount,
  type ConnectionSearch,
  type ConnectionState,
  countConnections,
  countRunsPerMinute,
  type Delivery,
  listDeliveriesOf,
  listOperatorLog,
  listRunsOf,
  listStretches,
  listSwitches,
  listTroubledBookings,
  type OperatorLogEntry,
  type OperatorSwitch,
  type RunMinute,
  type SyncRun,
  searchConnections,
  type TroubledBooking,
} from './queries/console.ts';
export {
  claimRefresh,
  listSealedTokens,
  readCredentials,
  releaseRefresh,
  type StoredCredentials,
  storeRefreshedTokens,
  storeResealedTokens,
} from './queries/credentials.ts';
export {
  closeDeadLetter,
  findDeadLetter,
  listDeadLetters,
  pruneDeadLetters,
  writeDeadLetter,
} from './queries/dead-letters.ts';
export {
  type DeliveryVerdict,
  type ProvenNotification,
  pruneDeliveries,
  type RecordedDeliveries,
  recordDeliveries,
} from './queries/deliveries.ts';
export {
  endChannels,
  eraseDisconnecting,
  findDisconnecting,
  isAccountShared,
  isDisconnecting,
  requestDisconnect,
} from './queries/disconnects.ts';
export {
  type DueEffect,
  findDueEffects,
  hastenBookings,
  postponeEffects,
  readDueEffect,
  reviveEffect,
} from './queries/due-effects.ts';
export {
  claimEffect,
  type EffectClaim,
  extendEffectLease,
  noteCreation,
  releaseEffectLease,
} from './queries/effect-leases.ts';
export {
  type EffectFailure,
  type EffectSuccess,
  recordEffectFailure,
  recordEffectSuccess,
} from './queries/effect-results.ts';
export {
  listUnpublishedChanges,
  markChangesPublished,
  type ObservedChange,
  recordExternalChange,
} from './queries/external-changes.ts';
export { type FleetState, readFleetState, type WorkGates, type WorkKind } from './queries/fleet-state.ts';
export {
  type BrakeSettings,
  brakeDeletions,
  releaseDeletions,
  renewHeldLetters,
  restoreDeletions,
  withdrawDeletion,
} from './queries/held-deletions.ts';
export { findKnownEffects, type KnownEffect, requestInspection } from './queries/known-effects.ts';
export { releaseMailboxSlot, takeMailboxSlot } from './queries/mailbox-slots.ts';
export { writeOperatorLog } from './queries/operator-log.ts';
export { clearSwitch, readSwitches, turnSwitches } from './queries/operator-switches.ts';
export {
  listProcesses,
  pruneProcesses,
  type ReportedProcess,
  reportProcess,
} from './queries/processes.ts';
export { takeFromBudget } from './queries/provider-budgets.ts';
export { clearStagedPages, stagePage } from './queries/staged-pages.ts';
export { type FinishedIncrement, storeIncrement } from './queries/store-increment.ts';
export { takeSweepTurn } from './queries/sweep-turns.ts';
export {
  claimSync,
  extendSyncLease,
  LEASE_MS,
  LeaseLostError,
  releaseSyncLease,
  type SyncClaim,
} from './queries/sync-leases.ts';
export {
  findDueConnections,
  readSyncProgress,
  requestDueReconciles,
  requestSync,
  type SyncProgress,
} from './queries/sync-requests.ts';
export { recordSyncFailure, recordSyncSuccess, type SyncFailure, type SyncSuccess } from './queries/sync-results.ts';
export { insertSyncRun, pruneSyncRuns } from './queries/sync-runs.ts';
export { listUnreadableItems, replaceUnreadableItems, type UnreadableRecord } from './queries/unreadable-items.ts';
export type {
  BookingEffect,
  Channel,
  Connection,
  DeadLetter,
  ExternalChange,
  LastError,
  Mismatch,
  RequestedBy,
} from './schema/index.ts';
export { isUuid } from './uuid.ts';
