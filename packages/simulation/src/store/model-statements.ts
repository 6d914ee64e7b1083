/** Every statement the two stories use, and what they ask about its errors, under the names that `@bookiji/db` gives them. */
import { claimEffect, extendEffectLease, noteCreation, releaseEffectLease } from './effect-leases.ts';
import { recordEffectFailure, recordEffectSuccess, renameMapping, writeDeadLetter } from './effect-results.ts';
import {
  applyFullRound,
  applyIncrement,
  beginFirstRound,
  clearStagedPages,
  stagePage,
  storeFirstPage,
  storeIncrement,
} from './interval-statements.ts';
import { databaseCode, isDatabaseFailure } from './model-database.ts';
import {
  findKnownEffects,
  recordExternalChange,
  requestInspection,
  settleAdoptions,
  withdrawDeletion,
} from './owner-changes.ts';
import {
  claimSync,
  extendSyncLease,
  insertSyncRun,
  parkConnection,
  recordSyncFailure,
  recordSyncSuccess,
  releaseSyncLease,
} from './sync-statements.ts';

export const MODEL_STATEMENTS = {
  claimEffect,
  extendEffectLease,
  findKnownEffects,
  noteCreation,
  recordEffectFailure,
  recordEffectSuccess,
  recordExternalChange,
  releaseEffectLease,
  renameMapping,
  requestInspection,
  settleAdoptions,
  withdrawDeletion,
  writeDeadLetter,
  applyFullRound,
  applyIncrement,
  beginFirstRound,
  clearStagedPages,
  stagePage,
  storeFirstPage,
  storeIncrement,
  claimSync,
  extendSyncLease,
  insertSyncRun,
  parkConnection,
  recordSyncFailure,
  recordSyncSuccess,
  releaseSyncLease,
  databaseCode,
  isDatabaseFailure,
} satisfies Partial<Record<keyof typeof import('@bookiji/db'), unknown>>;
