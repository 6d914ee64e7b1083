/** The Microsoft identity platform, v2.0. https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow */
import { z } from 'zod';
import {
  type AccountIdentity,
  type AuthorizationRequest,
  nameConnectionFailure,
  type OAuthPort,
  type Operation,
  ProviderError,
  type TokenGrant,
} from '../contract/index.ts';
import { readIdToken, readProfile } from './account-identity.ts';
import { classifyOAuthError, type OAuthFailure } from './classify-oauth-error.ts';
import { openGraph } from './graph-client.ts';
import { type MicrosoftOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { readRequestId } from './read-failure.ts';

/** The last one is a convenience: without it all-day events are read by their own zones. */
const SCOPES = ['openid', 'email', 'offline_access', 'Calendars.ReadWrite', 'MailboxSettings.Read'];
/** `openid` and its kind are never listed among what was granted. */
const NEEDED_SCOPES = ['Calendars.ReadWrite'];
/** Of an access token whose answer does not say: https://learn.microsoft.com/entra/identity-platform/access-tokens */
const DEFAULT_LIFETIME_SECONDS = 3_600;
const GRAPH_SCOPE_PREFIX = 'https://graph.microsoft.com/';

export function createMicrosoftOAuth(options: MicrosoftOptions): OAuthPort {
  const resolved = resolveOptions(options);
  const askToken = (operation: Operation, fields: Record<string, string>, signal: AbortSignal) =>
    requestToken(resolved, operation, fields, signal);
  return {
    calendarProvider: 'microsoft',
    authorizationUrl: (request) => authorizationUrl(resolved, request),
    exchangeCode: ({ code, codeVerifier, redirectUri }, signal) =>
      askToken(
        'exchange_code',
        { grant_type: 'authorization_code', code, code_verifier: codeVerifier, redirect_uri: redirectUri },
        signal,
      ),
    // No scope: naming one that was not granted would be refused as if the grant were dead.
    refresh: (refreshToken, signal) =>
      askToken('refresh_token', { grant_type: 'refresh_token', refresh_token: refreshToken }, signal),
    /** Microsoft has no call that ends one application's grant: nothing is sent, and erasing the tokens is what counts. */
    revoke: async () => {},
    missingScopes: (granted) => missingScopes(granted),
    identify: (grant, signal) => identify(resolved, grant, signal),
  };
}

function authorizationUrl(options: ResolvedOptions, request: AuthorizationRequest): string {
  const query = new URLSearchParams({
    client_id: options.clientId,
    response_type: 'code',
    redirect_uri: request.redirectUri,
    response_mode: 'query',
    scope: SCOPES.join(' '),
    state: request.state,
    code_challenge: request.codeChallenge,
    code_challenge_method: 'S256',
    // Many people are signed in with several accounts, and the wrong one would be connected silently.
    prompt: 'select_account',
  });
  return `${options.oauthUrl}/authorize?${query}`;
}

function missingScopes(granted: readonly string[]): string[] {
  const names = new Set(granted.map((scope) => shortName(scope)));
  return NEEDED_SCOPES.filter((scope) => !names.has(shortName(scope)));
}

function shortName(scope: string): string {
  return (scope.startsWith(GRAPH_SCOPE_PREFIX) ? scope.slice(GRAPH_SCOPE_PREFIX.length) : scope).toLowerCase();
}

const grantShape = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).nullable().catch(null),
  expires_in: z.coerce.number().positive().catch(DEFAULT_LIFETIME_SECONDS),
  // Left out, it is what was asked for: https://www.rfc-editor.org/rfc/rfc6749#section-5.1
  scope: z.string().catch(SCOPES.join(' ')),
  id_token: z.string().min(1).nullable().catch(null),
});
const errorShape = z.object({ error: z.string().regex(/^[a-z_]{1,60}$/) });

async function requestToken(
  options: ResolvedOptions,
  operation: Operation,
  fields: Record<string, string>,
  signal: AbortSignal,
): Promise<TokenGrant> {
  const answer = await post(options, operation, fields, signal);
  const grant = answer.response.ok ? grantShape.safeParse(answer.body).data : undefined;
  if (grant === undefined) {
    throw failed(options, operation, {
      status: answer.response.status,
      error: errorShape.safeParse(answer.body).data?.error ?? null,
      retryAfter: answer.response.headers.get('retry-after'),
      requestId: readRequestId(answer.response.headers, null),
      reason: answer.response.ok ? 'unreadable_answer' : null,
    });
  }
  return {
    accessToken: grant.access_token,
    // Each refresh brings a new one. The old one still works, so a lost write is survived.
    refreshToken: grant.refresh_token,
    expiresInSeconds: grant.expires_in,
    scopes: grant.scope.split(' ').filter((scope) => scope !== ''),
    idToken: grant.id_token,
  };
}

async function post(
  options: ResolvedOptions,
  operation: Operation,
  fields: Record<string, string>,
  signal: AbortSignal,
): Promise<{ response: Response; body: unknown }> {
  const form = new URLSearchParams({
    client_id: options.clientId,
    client_secret: options.clientSecret,
    ...fields,
  });
  try {
    const response = await options.fetch(`${options.oauthUrl}/token`, {
      method: 'POST',
      headers: { Accept: 'application/json' },
      body: form,
      redirect: 'manual',
      signal,
    });
    return { response, body: parseJson(await response.text()) };
  } catch (error) {
    const { reason } = nameConnectionFailure(error, signal);
    throw failed(options, operation, { status: null, error: null, retryAfter: null, requestId: null, reason }, error);
  }
}

function failed(
  options: ResolvedOptions,
  operation: Operation,
  failure: Omit<OAuthFailure, 'operation'>,
  cause?: unknown,
): ProviderError {
  const facts = classifyOAuthError({ operation, ...failure }, options.now());
  return new ProviderError(facts, cause === undefined ? {} : { cause });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The `id_token` names the account; its address is optional there. `/me` is asked for what is missing, and may refuse,
 * since no scope of ours opens it for sure.
 */
async function identify(options: ResolvedOptions, grant: TokenGrant, signal: AbortSignal): Promise<AccountIdentity> {
  const named = readIdToken(grant.idToken);
  if (named.accountId !== null && named.email !== null) return named;
  const graph = openGraph(options, { tokens: { accessToken: async () => grant.accessToken, rejected: () => {} } });
  try {
    const { body } = await graph.call({ operation: 'describe_calendar', to: { path: '/me' }, signal });
    const profile = readProfile(body);
    return { accountId: named.accountId ?? profile.accountId, email: named.email ?? profile.email };
  } catch (error) {
    const isRefused = error instanceof ProviderError && error.status !== null && error.status < 500;
    if (named.accountId !== null || isRefused) return named;
    throw error;
  }
}
