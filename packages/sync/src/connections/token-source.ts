/**
 * The access token of one connection, refreshed by one process of the fleet at a time.
 *
 * What if twenty workers find it expired at once? One takes the right to refresh in the row; the others look at the row
 * until a newer token is there. What if the refresher dies? Its right ends by itself and the next one takes over; both
 * calendar providers keep the old refresh token valid until then. What if its result comes late? It is stored only over
 * the version it was made from.
 */
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
import { type OAuthPort, ProviderError, type TokenSource } from '@bookiji/providers/contract';
import { settleFailure } from '../failures/settle-failure.ts';
import { type SealingKey, sealToken, unsealToken } from './seal-token.ts';

export interface TokenSourceOptions {
  readonly db: Database;
  readonly keys: readonly SealingKey[];
  readonly oauth: OAuthPort;
  readonly connectionId: string;
  /** In [0, 1); spreads refreshes of tokens that were given out together. */
  readonly random?: () => number;
}

/** Refreshed this long before its end, seconds, and up to as long again earlier. */
const LEAD_SECONDS = 60;
/** Longer than the call to the token endpoint may take. */
const REFRESH_LEASE_MS = 15_000;
const LOOK_AGAIN_MS = 50;

export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { random = Math.random } = options;
  const lead = LEAD_SECONDS * (1 + random());
  let held: { token: string; goodUntil: number } | null = null;
  let refused: string | null = null;
  let underway: Promise<string> | null = null;

  const obtain = async (signal: AbortSignal): Promise<string> => {
    const { token, expiresInSeconds } = await obtainToken(options, lead, refused, signal);
    held = { token, goodUntil: performance.now() + (expiresInSeconds - lead) * 1000 };
    refused = null;
    return token;
  };

  return {
    async accessToken(signal) {
      if (held !== null && held.token !== refused && performance.now() < held.goodUntil) return held.token;
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

async function obtainToken(options: TokenSourceOptions, lead: number, refused: string | null, signal: AbortSignal) {
  const { db, connectionId } = options;
  for (;;) {
    signal.throwIfAborted();
    const stored = await readCredentials(db, connectionId);
    if (stored === null || stored.status !== 'active') throw revoked(options, 'connection_not_active');
    const usable = readUsable(stored, options, lead, refused);
    if (usable !== null) return usable;
    const claim = { connectionId, tokenVersion: stored.tokenVersion, leaseMs: REFRESH_LEASE_MS };
    if (await claimRefresh(db, claim)) return refresh(options, stored, signal);
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
}

function readUsable(
  stored: StoredCredentials,
  { connectionId, keys }: TokenSourceOptions,
  lead: number,
  refused: string | null,
) {
  const { accessTokenSealed, expiresInSeconds } = stored;
  if (accessTokenSealed === null || expiresInSeconds === null || expiresInSeconds <= lead / 2) return null;
  const token = unsealToken(accessTokenSealed, { connectionId, field: 'access_token' }, keys);
  return token === refused ? null : { token, expiresInSeconds };
}

async function refresh(options: TokenSourceOptions, stored: StoredCredentials, signal: AbortSignal) {
  const { db, keys, oauth, connectionId } = options;
  const { tokenVersion, refreshTokenSealed } = stored;
  try {
    if (refreshTokenSealed === null) throw revoked(options, 'no_refresh_token');
    const refreshToken = unsealToken(refreshTokenSealed, { connectionId, field: 'refresh_token' }, keys);
    const grant = await oauth.refresh(refreshToken, signal);
    const seal = (token: string, field: 'access_token' | 'refresh_token') =>
      sealToken(token, { connectionId, field }, keys);
    // Stored before it is used: a rotated refresh token must not live in this process alone.
    await storeRefreshedTokens(db, {
      connectionId,
      tokenVersion,
      accessTokenSealed: seal(grant.accessToken, 'access_token'),
      refreshTokenSealed: grant.refreshToken === null ? null : seal(grant.refreshToken, 'refresh_token'),
      expiresInSeconds: grant.expiresInSeconds,
    });
    return { token: grant.accessToken, expiresInSeconds: grant.expiresInSeconds };
  } catch (error) {
    await releaseRefresh(db, connectionId, tokenVersion);
    if (error instanceof ProviderError && error.kind === 'auth_revoked') await park(options, error);
    throw error;
  }
}

async function park({ db, connectionId }: TokenSourceOptions, error: ProviderError): Promise<void> {
  const { park: parking } = settleFailure(error, 0, { baseSeconds: 1, maxSeconds: 1 }, 0);
  if (parking !== null) await parkConnection(db, connectionId, parking);
}

function revoked({ oauth }: TokenSourceOptions, reason: string): ProviderError {
  return new ProviderError({
    kind: 'auth_revoked',
    calendarProvider: oauth.calendarProvider,
    operation: 'refresh_token',
    status: null,
    reason,
    retryAfterMs: null,
    requestId: null,
    outcomeUnknown: false,
  });
}
