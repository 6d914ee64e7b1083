/**
 * The access token of one connection, refreshed by one process of the fleet at a time.
 *
 * What if twenty workers find it expired at once? One takes the right to refresh in the row; the others look at the row
 * until a newer token is there. What if the refresher dies? Its right ends by itself and the next one takes over; both
 * calendar providers keep the old refresh token valid until then. What if its result comes late, after the owner has
 * connected again? It counts only over the version it was made from: neither is its token used, nor its failure.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  claimRefresh,
  type Database,
  parkConnection,
  readCredentials,
  releaseRefresh,
  type StoredCredentials,
  storeRefreshedTokens,
} from '@bookiji/db';
import {
  type OAuthPort,
  type OwnErrorFacts,
  ownError,
  ProviderError,
  type TokenSource,
} from '@bookiji/providers/contract';
import { parkFor } from '../failures/settle-failure.ts';
import { type SealingKey, sealToken, UnsealError, unsealToken } from './seal-token.ts';

export interface TokenSourceOptions {
  readonly db: Database;
  readonly keys: readonly SealingKey[];
  readonly oauth: OAuthPort;
  readonly connectionId: string;
  /** Read a moment ago, with the claim: the first call need not ask again. */
  readonly known?: StoredCredentials | undefined;
}

/** The right to refresh ends by itself after this long: its holder was killed. */
const REFRESH_LEASE_MS = 10_000;
/** Whatever the call's own time limit: past its lease somebody else would refresh too. */
const REFRESH_AT_MOST_MS = 9_000;
/** After a failure nobody tries again for this long, so that those who wait do not fail one after the other at once. */
const COOL_DOWN_MS = 2_000;
/** Longer than this nobody waits for somebody else's refresh. */
const WAIT_AT_MOST_MS = 6_000;
const LOOK_AGAIN_MS = 50;

const LEAD_AT_LEAST_SECONDS = 60;
const LEAD_AT_MOST_SECONDS = 300;

/**
 * How long before its end a token is refreshed, seconds: another time for each connection and each of its tokens, the
 * same for all that ask, so that tokens that were given out together are not refreshed together. Pure.
 */
export function refreshLeadSeconds(connectionId: string, tokenVersion: number): number {
  const share = createHash('sha256').update(`${connectionId}:${tokenVersion}`).digest().readUInt32BE() / 2 ** 32;
  return LEAD_AT_LEAST_SECONDS + share * (LEAD_AT_MOST_SECONDS - LEAD_AT_LEAST_SECONDS);
}

interface UsableToken {
  readonly token: string;
  readonly expiresInSeconds: number;
  readonly leadSeconds: number;
}

/** @returns a source whose `accessToken` throws `ProviderError`, and what the database throws. */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  let held: { token: string; goodUntil: number } | null = null;
  let refused: string | null = null;
  let underway: Promise<string> | null = null;
  let { known = null } = options;

  const obtain = async (signal: AbortSignal): Promise<string> => {
    const first = known;
    known = null;
    const { token, expiresInSeconds, leadSeconds } = await obtainToken(options, first, refused, signal);
    // One that lives shortly is used for half of its life.
    const goodSeconds = Math.max(expiresInSeconds - leadSeconds, expiresInSeconds / 2);
    held = { token, goodUntil: performance.now() + goodSeconds * 1000 };
    refused = null;
    return token;
  };

  return {
    async accessToken(signal) {
      if (held !== null && held.token !== refused && performance.now() < held.goodUntil) return held.token;
      try {
        if (underway !== null) return await underway;
      } catch (error) {
        // Given up by the caller that began it, which says nothing to this one.
        const isGivenUp = error instanceof ProviderError && error.reason === 'aborted' && !signal.aborted;
        if (!isGivenUp) throw error;
      }
      underway ??= obtain(signal).finally(() => {
        underway = null;
      });
      return underway;
    },
    rejected(token) {
      refused = token;
    },
  };
}

async function obtainToken(
  options: TokenSourceOptions,
  known: StoredCredentials | null,
  refused: string | null,
  signal: AbortSignal,
): Promise<UsableToken> {
  if (known?.status === 'active') {
    const usable = readUsable(known, options, refused);
    if (usable !== null) return usable;
  }
  const { db, connectionId } = options;
  const waitUntil = performance.now() + WAIT_AT_MOST_MS;
  for (;;) {
    if (signal.aborted) throw failure(options, { kind: 'transient', reason: 'aborted' });
    const stored = await readCredentials(db, connectionId);
    if (stored === null || stored.status !== 'active') {
      throw failure(options, { kind: 'auth_revoked', reason: 'connection_not_active' });
    }
    const usable = readUsable(stored, options, refused);
    if (usable !== null) return usable;
    const claim = { connectionId, tokenVersion: stored.tokenVersion, leaseMs: REFRESH_LEASE_MS };
    if (await claimRefresh(db, claim)) {
      const refreshed = await refresh(options, stored, signal);
      if (refreshed !== null) return refreshed;
      continue;
    }
    // Waiting is nobody's failure: the work is put off, and spends no attempt.
    if (performance.now() > waitUntil) {
      throw failure(options, { kind: 'rate_limited', reason: 'refresh_under_way', retryAfterMs: COOL_DOWN_MS });
    }
    await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

function readUsable(
  stored: StoredCredentials,
  options: TokenSourceOptions,
  refused: string | null,
): UsableToken | null {
  const { accessTokenSealed, expiresInSeconds, tokenVersion } = stored;
  const leadSeconds = refreshLeadSeconds(options.connectionId, tokenVersion);
  if (accessTokenSealed === null || expiresInSeconds === null || expiresInSeconds <= leadSeconds) return null;
  const token = unseal(options, accessTokenSealed, 'access_token');
  return token === refused ? null : { token, expiresInSeconds, leadSeconds };
}

/** @returns null when a newer grant was stored meanwhile, which is the one to use. */
async function refresh(
  options: TokenSourceOptions,
  { tokenVersion, refreshTokenSealed }: StoredCredentials,
  signal: AbortSignal,
): Promise<UsableToken | null> {
  const { db, keys, oauth, connectionId } = options;
  try {
    if (refreshTokenSealed === null) throw failure(options, { kind: 'auth_revoked', reason: 'no_refresh_token' });
    const refreshToken = unseal(options, refreshTokenSealed, 'refresh_token');
    const grant = await oauth.refresh(refreshToken, AbortSignal.any([signal, timeLimit()]));
    const seal = (token: string, field: 'access_token' | 'refresh_token') =>
      sealToken(token, { connectionId, field }, keys);
    // Stored before it is used: a rotated refresh token must not live in this process alone.
    const isStored = await storeRefreshedTokens(db, {
      connectionId,
      tokenVersion,
      accessTokenSealed: seal(grant.accessToken, 'access_token'),
      refreshTokenSealed: grant.refreshToken === null ? null : seal(grant.refreshToken, 'refresh_token'),
      expiresInSeconds: grant.expiresInSeconds,
    });
    if (!isStored) return null;
    const leadSeconds = refreshLeadSeconds(connectionId, tokenVersion + 1);
    return { token: grant.accessToken, expiresInSeconds: grant.expiresInSeconds, leadSeconds };
  } catch (error) {
    return giveUp(options, tokenVersion, error);
  }
}

/** Parks before the right is given back, so that nobody asks a dead grant a second time. */
async function giveUp(options: TokenSourceOptions, tokenVersion: number, error: unknown): Promise<null> {
  const { db, connectionId } = options;
  const isRevoked = error instanceof ProviderError && error.kind === 'auth_revoked';
  if (isRevoked) {
    const park = parkFor('reauth_required', 'auth_revoked');
    if (!(await parkConnection(db, connectionId, { ...park, tokenVersion }))) {
      const now = await readCredentials(db, connectionId);
      if (now !== null && now.tokenVersion !== tokenVersion) return null;
    }
  }
  const wasGivenUp = error instanceof ProviderError && error.reason === 'aborted';
  const afterMs = error instanceof ProviderError ? (error.retryAfterMs ?? COOL_DOWN_MS) : COOL_DOWN_MS;
  await releaseRefresh(db, { connectionId, tokenVersion, afterMs: isRevoked || wasGivenUp ? 0 : afterMs });
  throw error;
}

/** A time limit. Its error is a `TimeoutError`, which tells it from a caller that gave up. */
function timeLimit(): AbortSignal {
  return AbortSignal.timeout(REFRESH_AT_MOST_MS);
}

/** A key that is missing here is an operator's mistake, not the owner's: nothing is parked, and the wait is long. */
function unseal(options: TokenSourceOptions, record: string, field: 'access_token' | 'refresh_token'): string {
  try {
    return unsealToken(record, { connectionId: options.connectionId, field }, options.keys);
  } catch (error) {
    if (!(error instanceof UnsealError)) throw error;
    throw failure(options, { kind: 'transient', reason: 'token_unreadable' });
  }
}

function failure(
  { oauth }: TokenSourceOptions,
  facts: Pick<OwnErrorFacts, 'kind' | 'reason' | 'retryAfterMs'>,
): ProviderError {
  return ownError({ ...facts, calendarProvider: oauth.calendarProvider, operation: 'refresh_token' });
}
