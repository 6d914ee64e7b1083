export { auditConnection } from './audit/audit-connection.ts';
export { MISMATCH_KINDS } from './audit/compare-calendar.ts';
export { answerAvailability } from './availability/answer-availability.ts';
export { type Interval, subtractBusy } from './availability/intervals.ts';
export { noteLifecycle } from './channels/answer-lifecycle.ts';
export {
  channelSecret,
  connectionIdOfChannel,
  createChannelId,
  isChannelProof,
  readClientState,
  secretMarkOf,
} from './channels/channel-id.ts';
export { silentAfterSeconds } from './channels/judge-silence.ts';
export { type KeepChannelOutcome, keepChannel } from './channels/keep-channel.ts';
export {
  type ConnectClaims,
  codeChallengeOf,
  createConnectClaims,
  createOAuthState,
  isReturnTo,
  isSameSecret,
  LINK_SECONDS,
  type OAuthState,
  readClaims,
  signClaims,
} from './connections/connect-link.ts';
export { connectionIdOf, connectProvider } from './connections/connect-provider.ts';
export { disconnectProvider } from './connections/disconnect-provider.ts';
export { resealTokens } from './connections/reseal-tokens.ts';
export { type SealingKey, sealToken, UnsealError, unsealToken } from './connections/seal-token.ts';
export { createTokenSource } from './connections/token-source.ts';
export { explainError, nameOfCalendarProvider } from './failures/explain-error.ts';
export type { BackoffSettings } from './failures/settle-failure.ts';
export { planRound, type WindowSettings } from './inbound/plan-round.ts';
export type { SyncDependencies } from './inbound/round-context.ts';
export { syncConnection } from './inbound/sync-connection.ts';
export type { SyncOutcome } from './inbound/sync-outcome.ts';
export { type Bells, SILENCE } from './operations/bells.ts';
export { disconnect } from './operations/disconnect.ts';
export { turnConnection } from './operations/pause.ts';
export { reopenChannel } from './operations/reopen-channel.ts';
export {
  type ReplayResult,
  replayAsOperator,
  replayDeadLetter,
  restoreAsOperator,
  restoreHeldDeletions,
} from './operations/replay-dead-letter.ts';
export { requestSyncs } from './operations/request-sync.ts';
export { adoptBookings } from './outbound/adopt-bookings.ts';
export {
  type BookingTarget,
  type ConvergeDependencies,
  type ConvergeOutcome,
  convergeBooking,
} from './outbound/converge-booking.ts';
export { creationKey, icalUidOf } from './outbound/event-identity.ts';
export { type ForeseenWrite, foreseeWrite } from './outbound/foresee-write.ts';
