/** Every statement the two stories use, under the names that `@bookiji/db` gives them. */
export {
  claimEffect,
  extendEffectLease,
  findKnownEffects,
  noteCreation,
  recordEffectFailure,
  recordEffectSuccess,
  recordExternalChange,
  releaseEffectLease,
  requestInspection,
  withdrawDeletion,
  writeDeadLetter,
} from './booking-statements.ts';
export {
  applyFullRound,
  applyIncrement,
  beginFirstRound,
  clearStagedPages,
  stagePage,
  storeFirstPage,
} from './interval-statements.ts';
export {
  claimSync,
  extendSyncLease,
  insertSyncRun,
  parkConnection,
  recordSyncFailure,
  recordSyncSuccess,
  releaseSyncLease,
} from './sync-statements.ts';
