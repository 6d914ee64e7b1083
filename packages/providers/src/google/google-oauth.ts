/**
 * OAuth at Google, as a web server does it.
 * https://developers.google.com/identity/protocols/oauth2/web-server
 */
import { type AuthorizationRequest, type OAuthPort, ProviderError, type TokenGrant } from '../contract/index.ts';
import { identifyAccount } from './account-identity.ts';
import type { OAuthOperation } from './classify-oauth-error.ts';
import { type GoogleOptions, type ResolvedOAuthOptions, resolveApiOptions, resolveOAuthOptions } from './options.ts';
import { ownError } from './own-error.ts';
import { postForm } from './post-form.ts';

/**
 * The narrowest scope that lists, watches and writes events on calendars that the person owns, which is where bookings go.
 * Zone and name of the calendar come with the list of events, so no scope is asked for to read calendars.
 */
const CALENDAR_SCOPE = 'https://www.googleapis.com/auth/calendar.events.owned';
/** Wider ones that include it: an earlier grant may come back with them. */
const WIDER_SCOPES = ['https://www.googleapis.com/auth/calendar.events', 'https://www.googleapis.com/auth/calendar'];
const SCOPES = ['openid', 'email', CALENDAR_SCOPE];

export function createGoogleOAuth(options: GoogleOptions): OAuthPort {
  const resolved = resolveOAuthOptions(options);
  const { clientId: client_id, clientSecret: client_secret, tokenUrl } = resolved;
  return {
    calendarProvider: 'google',
    authorizationUrl: (request) => authorizationUrl(resolved, request),
    async exchangeCode({ code, codeVerifier, redirectUri }, signal) {
      const form = {
        grant_type: 'authorization_code',
        client_id,
        client_secret,
        code,
        code_verifier: codeVerifier,
        redirect_uri: redirectUri,
      };
      // An answer without `scope` grants what was asked for (RFC 6749, 5.1).
      return toGrant('exchange_code', await postForm('exchange_code', tokenUrl, form, resolved, signal), SCOPES);
    },
    async refresh(refreshToken, signal) {
      const form = { grant_type: 'refresh_token', client_id, client_secret, refresh_token: refreshToken };
      return toGrant('refresh_token', await postForm('refresh_token', tokenUrl, form, resolved, signal), []);
    },
    revoke: (refreshToken, signal) => revoke(refreshToken, resolved, signal),
    missingScopes: (granted) =>
      [CALENDAR_SCOPE, ...WIDER_SCOPES].some((scope) => granted.includes(scope)) ? [] : [CALENDAR_SCOPE],
    identify: (grant, signal) => identifyAccount(grant, resolveApiOptions(options), signal),
  };
}

function authorizationUrl(options: ResolvedOAuthOptions, request: AuthorizationRequest): string {
  const url = new URL(options.authorizeUrl);
  const parameters = {
    client_id: options.clientId,
    redirect_uri: request.redirectUri,
    response_type: 'code',
    scope: SCOPES.join(' '),
    state: request.state,
    code_challenge: request.codeChallenge,
    code_challenge_method: 'S256',
    access_type: 'offline',
    include_granted_scopes: 'true',
    // Without it a second consent is silent, and gives no refresh token.
    prompt: 'consent',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** Ends the whole grant. A token that Google does not know any more has no grant left to end. */
async function revoke(refreshToken: string, options: ResolvedOAuthOptions, signal: AbortSignal): Promise<void> {
  try {
    await postForm('revoke_token', options.revokeUrl, { token: refreshToken }, options, signal);
  } catch (error) {
    const isEnded = error instanceof ProviderError && ['invalid_token', 'invalid_grant'].includes(error.reason);
    if (!isEnded) throw error;
  }
}

/** @param scopes what an answer that names none stands for. */
function toGrant(
  operation: OAuthOperation,
  answer: Readonly<Record<string, unknown>>,
  scopes: readonly string[],
): TokenGrant {
  const { access_token: accessToken, refresh_token, expires_in, scope, id_token } = answer;
  const seconds = Number(expires_in);
  if (typeof accessToken !== 'string' || accessToken === '') {
    throw ownError({ kind: 'transient', operation, reason: 'unreadable_answer', status: 200 });
  }
  return {
    accessToken,
    refreshToken: typeof refresh_token === 'string' && refresh_token !== '' ? refresh_token : null,
    // An hour, as Google's access tokens live, where the answer does not say.
    expiresInSeconds: Number.isFinite(seconds) && seconds > 0 ? seconds : 3_600,
    scopes: typeof scope === 'string' ? scope.split(' ').filter((one) => one !== '') : scopes,
    idToken: typeof id_token === 'string' ? id_token : null,
  };
}
