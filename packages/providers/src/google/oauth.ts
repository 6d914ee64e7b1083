import {
  type AccountIdentity,
  type AuthorizationRequest,
  type CodeExchange,
  type OAuthPort,
  type Operation,
  ProviderError,
  type TokenGrant,
} from '../contract/index.ts';
import { readReasons } from './call-google.ts';
import { classifyError, type GoogleFailure } from './classify-error.ts';

export interface GoogleOAuthOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly revokeUrl: string;
}

/** Enough to list, watch and write events on calendars the person owns; `openid email` says whose they are. */
const CALENDAR_SCOPE = 'https://www.googleapis.com/auth/calendar.events.owned';
const SCOPES = ['openid', 'email', CALENDAR_SCOPE];

/** Google's OAuth. https://developers.google.com/identity/protocols/oauth2/web-server */
export function createGoogleOAuth(options: GoogleOAuthOptions): OAuthPort {
  const client = { client_id: options.clientId, client_secret: options.clientSecret };
  return {
    calendarProvider: 'google',
    authorizationUrl: (request) => authorizationUrl(options, request),
    exchangeCode: async (exchange: CodeExchange, signal) =>
      toGrant(
        await post('exchange_code', options.tokenUrl, signal, {
          ...client,
          grant_type: 'authorization_code',
          code: exchange.code,
          code_verifier: exchange.codeVerifier,
          redirect_uri: exchange.redirectUri,
        }),
      ),
    refresh: async (refreshToken, signal) =>
      toGrant(
        await post('refresh_token', options.tokenUrl, signal, {
          ...client,
          grant_type: 'refresh_token',
          refresh_token: refreshToken,
        }),
      ),
    async revoke(refreshToken, signal) {
      try {
        await post('revoke_token', options.revokeUrl, signal, { token: refreshToken });
      } catch (error) {
        // What Google does not know any more is revoked.
        if (!(error instanceof ProviderError && error.kind === 'permanent')) throw error;
      }
    },
    missingScopes: (granted) => (granted.some(coversCalendar) ? [] : [CALENDAR_SCOPE]),
    identify: async (grant) => readIdentity(grant.idToken),
  };
}

function coversCalendar(scope: string): boolean {
  return [
    CALENDAR_SCOPE,
    'https://www.googleapis.com/auth/calendar.events',
    'https://www.googleapis.com/auth/calendar',
  ].includes(scope);
}

function authorizationUrl(options: GoogleOAuthOptions, request: AuthorizationRequest): string {
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
    // A silent second consent gives no refresh token.
    prompt: 'consent',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** Posts a form to one of the configured URLs. Errors carry Google's word for it and nothing that was sent. */
async function post(
  operation: Operation,
  url: string,
  signal: AbortSignal,
  form: Record<string, string>,
): Promise<Record<string, unknown>> {
  let answer: Response;
  let body: string;
  try {
    answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form), signal, redirect: 'error' });
    body = await answer.text();
  } catch (error) {
    const code = (error as { cause?: { code?: unknown } }).cause?.code;
    throw fail(operation, { ...nothing, networkCode: signal.aborted ? 'aborted' : String(code ?? 'no_answer') });
  }
  if (!answer.ok) {
    throw fail(operation, {
      ...nothing,
      status: answer.status,
      reasons: readReasons(body),
      retryAfter: answer.headers.get('retry-after'),
    });
  }
  try {
    return body === '' ? {} : (JSON.parse(body) as Record<string, unknown>);
  } catch {
    throw fail(operation, { ...nothing, status: 502, reasons: ['unreadable_answer'] });
  }
}

const nothing: GoogleFailure = { status: null, reasons: [], retryAfter: null, requestId: null, networkCode: null };

function fail(operation: Operation, failure: GoogleFailure): ProviderError {
  return new ProviderError({ calendarProvider: 'google', operation, ...classifyError(operation, failure) });
}

function toGrant(answer: Record<string, unknown>): TokenGrant {
  const { access_token, refresh_token, expires_in, scope, id_token } = answer;
  if (typeof access_token !== 'string')
    throw fail('refresh_token', { ...nothing, status: 502, reasons: ['no_access_token'] });
  return {
    accessToken: access_token,
    refreshToken: typeof refresh_token === 'string' ? refresh_token : null,
    expiresInSeconds: typeof expires_in === 'number' ? expires_in : 3600,
    scopes: typeof scope === 'string' ? scope.split(' ') : [],
    idToken: typeof id_token === 'string' ? id_token : null,
  };
}

/** The payload only: the token came straight from Google's token endpoint, so its signature adds nothing. */
function readIdentity(idToken: string | null): AccountIdentity {
  const payload = idToken?.split('.')[1];
  if (payload === undefined) return { accountId: null, email: null };
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { sub?: unknown; email?: unknown };
  return {
    accountId: typeof claims.sub === 'string' ? claims.sub : null,
    email: typeof claims.email === 'string' ? claims.email : null,
  };
}
