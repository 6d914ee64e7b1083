export {
  type BackoffSettings,
  backoffMs,
  type Settlement,
  settleFailure,
  toLastError,
} from './failures/settle-failure.ts';
export { checksumOf, type FoldedPage, foldChanges, type OwnEvent } from './inbound/fold-changes.ts';
export { freshWindow, planRound, type Round, type WindowSettings } from './inbound/plan-round.ts';
export { type SyncCounts, type SyncDependencies, type SyncOutcome, syncConnection } from './inbound/sync-connection.ts';
