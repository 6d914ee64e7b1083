/** Turning a consent into a connection: exchange, check what was really granted, seal, store, adopt waiting bookings. */
import { type Database, hastenAdoption, type StoredGrant, storeGrant } from '@bookiji/db';
import type { CalendarProvider, OAuthPort } from '@bookiji/providers/contract';
import { v5 as uuidV5 } from 'uuid';
import { adoptBookings } from '../outbound/adopt-bookings.ts';
import { type SealingKey, sealToken } from './seal-token.ts';

/** Fixed forever: connection ids, and by them event ids, follow from it. */
const NAMESPACE = '0b6f4a0c-5c1e-5b7e-8a3d-2f1d9f6f7c33';

/** The same provider and calendar provider always have the same connection, also after it was erased. */
export function connectionIdOf(providerId: string, calendarProvider: CalendarProvider): string {
  return uuidV5(`${providerId.toLowerCase()}:${calendarProvider}`, NAMESPACE);
}

export interface Consent {
  readonly providerId: string;
  readonly calendarProvider: CalendarProvider;
  readonly code: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
}

export type ConnectOutcome =
  | { readonly outcome: 'connected'; readonly connectionId: string; readonly bookingIds: readonly string[] }
  /** The person unticked something the product cannot do without. */
  | { readonly outcome: 'scopes_missing'; readonly scopes: readonly string[] };

/** @throws ProviderError when the code is not taken; nothing is stored then. */
export async function connectProvider(
  deps: { readonly db: Database; readonly keys: readonly SealingKey[]; readonly oauth: OAuthPort },
  consent: Consent,
  signal: AbortSignal,
): Promise<ConnectOutcome> {
  const { db, keys, oauth } = deps;
  const { providerId, calendarProvider, code, codeVerifier, redirectUri } = consent;
  const grant = await oauth.exchangeCode({ code, codeVerifier, redirectUri }, signal);
  const missing = oauth.missingScopes(grant.scopes);
  if (missing.length > 0) return { outcome: 'scopes_missing', scopes: missing };
  const account = await oauth.identify(grant, signal);
  const connectionId = connectionIdOf(providerId, calendarProvider);
  const bookingIds = await store(db, {
    connectionId,
    providerId,
    calendarProvider,
    externalCalendarId: 'primary',
    accountId: account.accountId,
    providerEmail: account.email,
    accessTokenSealed: sealToken(grant.accessToken, { connectionId, field: 'access_token' }, keys),
    refreshTokenSealed:
      grant.refreshToken === null
        ? null
        : sealToken(grant.refreshToken, { connectionId, field: 'refresh_token' }, keys),
    accessTokenExpiresInSeconds: grant.expiresInSeconds,
    scopes: grant.scopes,
  });
  return { outcome: 'connected', connectionId, bookingIds };
}

/** More than most providers have ahead, and few enough that a booking of theirs that is accepted meanwhile waits for a moment. */
const ADOPTED_WITH_GRANT = 300;

/**
 * Grant and bookings together: a process that dies in between must not leave a calendar that no booking goes to. Until the
 * commit nobody else can accept a booking of this provider's, so those beyond the next few hundred are left to the sweep.
 */
function store(db: Database, grant: StoredGrant): Promise<readonly string[]> {
  return db.transaction(async (tx) => {
    await storeGrant(tx, grant);
    const connection = { id: grant.connectionId, calendarProvider: grant.calendarProvider };
    const adopted = await adoptBookings(tx, connection, { atMost: ADOPTED_WITH_GRANT, isWithGrant: true });
    if (!adopted.isComplete) await hastenAdoption(tx, grant.connectionId);
    return adopted.bookingIds;
  });
}
