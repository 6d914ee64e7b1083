/**
 * What a failed attempt leaves behind: the wait, the parked connection, the dead letter. One transaction, so that a process
 * that dies in between leaves no booking that was given up without a letter. A reconnect that comes first has taken the
 * lease back, and then nothing of this is stored: the grant that was refused is not the one that is there now.
 */
import {
  type Database,
  databaseCode,
  type EffectClaim,
  type LastError,
  LeaseLostError,
  parkConnection,
  recordEffectFailure,
  writeDeadLetter,
} from '@bookiji/db';
import { OURS_TO_MEND, type ProviderError } from '@bookiji/providers/contract';
import {
  type BackoffSettings,
  countInARow,
  type Settlement,
  settleFailure,
  toLastError,
} from '../failures/settle-failure.ts';
import { mappingBase } from './booking-mapping.ts';

/** After this many failed attempts an effect goes to the dead letters, whatever the kind. */
const ATTEMPTS_AT_MOST = 30;

/** The calendar shows a version that the database does not know, which only a newer version from outside can end. */
export const NEWER_VERSION_SHOWN = 'calendar_shows_newer_version';
const NEWER_VERSION_SIGHTINGS = 5;

interface SettleDependencies {
  readonly db: Database;
  readonly backoff: BackoffSettings;
  readonly random: () => number;
}

/** @throws LeaseLostError; nothing is recorded then. */
export async function settleWrite(
  deps: SettleDependencies,
  claim: EffectClaim,
  error: ProviderError,
): Promise<{ isDead: boolean }> {
  const settlement = settleFailure(error, claim.effect, deps.backoff, deps.random());
  const isNewerShown = ({ reason }: { readonly reason: string }) => reason === NEWER_VERSION_SHOWN;
  const times = isNewerShown(error) ? { times: countInARow(claim.effect, isNewerShown) } : {};
  return record(deps, claim, settlement, { ...toLastError(error, claim.effect, claim.claimedAt), ...times });
}

/**
 * An error that nobody expected, ours or about data that the database will never take: counted and waited for like any
 * other failure, since a booking that fails at once and forever would keep the sweep from all the others.
 *
 * Its message may hold what the booking says, so only its code is stored, or its name.
 *
 * @throws LeaseLostError; nothing is recorded then.
 */
export async function settleDefect(deps: SettleDependencies, claim: EffectClaim, error: unknown): Promise<void> {
  const name = error instanceof Error ? error.name : 'unknown';
  const reason = databaseCode(error) ?? name;
  const facts = { kind: 'transient', operation: 'update_event', reason, retryAfterMs: null } as const;
  const settlement = settleFailure(facts, claim.effect, deps.backoff, deps.random());
  await record(deps, claim, settlement, { kind: 'internal', reason, at: claim.claimedAt.toISOString() });
}

async function record(
  deps: SettleDependencies,
  claim: EffectClaim,
  settlement: Settlement,
  error: LastError,
): Promise<{ isDead: boolean }> {
  const { effect, desired, token } = claim;
  const { bookingId, connectionId } = effect;
  const isUsedUp =
    effect.errorCount + 1 >= ATTEMPTS_AT_MOST ||
    (error.reason === NEWER_VERSION_SHOWN && (error.times ?? 0) >= NEWER_VERSION_SIGHTINGS);
  // A limit, or what operators have to mend, is no reason to give a booking up, however often it is met.
  const isNobodys = error.kind === 'rate_limited' || OURS_TO_MEND.has(error.reason);
  const countsAsError = settlement.countsAsError && !isNobodys;
  const isDead = settlement.isFinal || (countsAsError && isUsedUp);
  const isBehind = effect.appliedVersion < desired.version;
  await deps.db.transaction(async (tx) => {
    // First, since a reconnect takes the connection before its bookings.
    if (settlement.park !== null) await parkConnection(tx, connectionId, settlement.park);
    const isRecorded = await recordEffectFailure(tx, {
      bookingId,
      connectionId,
      token,
      error,
      waitMs: settlement.waitMs,
      countsAsError,
      dead: isDead,
      isBehind,
      mapping: desired.state === 'live' ? mappingBase(claim) : null,
    });
    if (!isRecorded) throw new LeaseLostError('the booking');
    if (!isDead) return;
    await writeDeadLetter(tx, {
      kind: 'outbound_sync',
      reason: error.reason,
      subject: `${bookingId}:${connectionId}`,
      payload: { booking_id: bookingId, connection_id: connectionId, version: desired.version, error },
    });
  });
  return { isDead };
}
