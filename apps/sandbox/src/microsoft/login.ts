/** The Microsoft identity platform, v2.0. learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow. */
import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import { type Answer, html, ok, redirectTo } from '../answer.ts';
import { type Call, mount, type Protocol } from '../endpoint.ts';
import { type AuthorizationRequest, type Decision, readAuthorization, readDecision } from '../oauth/authorization.ts';
import { acceptsRedirect } from '../oauth/clients.ts';
import { consentPage, errorPage } from '../oauth/consent-page.ts';
import type { Grant } from '../oauth/grants.ts';
import { idToken } from '../oauth/id-token.ts';
import { provesChallenge } from '../oauth/pkce.ts';
import { readClient } from '../oauth/token-request.ts';
import type { SandboxState } from '../state.ts';
import { longScope, shortScope } from './protocol.ts';
import { TENANT_ID } from './tenant.ts';

/** 90 days without use. */
const IDLE_LIMIT_MS = 90 * 86_400_000;
/** Never listed among what was granted: they are no scopes of Graph. */
const SIGN_IN_SCOPES = new Set(['openid', 'profile', 'email', 'offline_access']);

export function microsoftLoginRoutes(state: SandboxState): Router {
  const router = Router();
  const protocol: Protocol = {
    provider: 'microsoft',
    faultAnswer: (order) => loginError(state, order.status, order.reason ?? 'server_error', 90033, 'As ordered.'),
    latencyMs: () => state.settings.microsoft.latency_ms,
  };
  const AUTHORIZE = '/:tenant/oauth2/v2.0/authorize';
  mount(router, state, protocol, [
    { operation: 'oauth.authorize', method: 'get', path: AUTHORIZE, handle: (call) => authorize(state, call) },
    { operation: 'oauth.decide', method: 'post', path: AUTHORIZE, handle: (call) => authorize(state, call) },
    {
      operation: 'oauth.token',
      method: 'post',
      path: '/:tenant/oauth2/v2.0/token',
      handle: (call) => answerToken(state, call),
    },
  ]);
  return router;
}

function authorize(state: SandboxState, call: Call): Answer {
  const request = readAuthorization(call.query);
  if (typeof request === 'string') return errorPage('microsoft', request);
  const client = state.clients.meet('microsoft', request.clientId);
  if (!acceptsRedirect(client, request.redirectUri))
    return errorPage('microsoft', 'AADSTS50011: redirect URI mismatch');
  const decision = readDecision(call);
  if (decision === null) return html(200, consentPage(state, 'microsoft', request, call));
  return decide(state, request, decision);
}

function decide(state: SandboxState, request: AuthorizationRequest, decision: Decision): Answer {
  const back = new URL(request.redirectUri);
  if (request.state !== null) back.searchParams.set('state', request.state);
  if (!decision.isAllowed) {
    back.searchParams.set('error', 'access_denied');
    back.searchParams.set('error_description', 'AADSTS65004: User declined to consent to access the app.');
    return redirectTo(back.href);
  }
  const account = state.directory.put({ provider: 'microsoft', email: decision.email });
  const granted = request.scopes.filter((scope) => decision.scopes === null || decision.scopes.includes(scope));
  const grant = state.grants.give('microsoft', account.email, request.clientId, granted.map(shortScope));
  const code = state.grants.issueCode({
    grant,
    redirectUri: request.redirectUri,
    challenge: request.challenge,
    // `offline_access` is what brings a refresh token.
    wantsRefreshToken: granted.includes('offline_access'),
    nonce: request.nonce,
  });
  back.searchParams.set('code', code);
  back.searchParams.set('session_state', randomUUID());
  return redirectTo(back.href);
}

function answerToken(state: SandboxState, call: Call): Answer {
  const form = new URLSearchParams(call.text);
  const client = readClient(state, 'microsoft', call, form);
  if (client === null) return loginError(state, 401, 'invalid_client', 7000215, 'Invalid client secret provided.');
  switch (form.get('grant_type')) {
    case 'authorization_code':
      return exchange(state, form, client.clientId, call);
    case 'refresh_token':
      return refresh(state, form, client.clientId, call);
    default:
      return loginError(state, 400, 'unsupported_grant_type', 70003, 'The app requested an unsupported grant type.');
  }
}

function exchange(state: SandboxState, form: URLSearchParams, clientId: string, call: Call): Answer {
  const deny = (number: number, words: string) => loginError(state, 400, 'invalid_grant', number, words);
  const code = state.grants.takeCode(form.get('code') ?? '');
  if (code === null) return deny(54005, 'OAuth2 Authorization code was already redeemed, is unknown or has expired.');
  if (code.grant.provider !== 'microsoft' || code.grant.clientId !== clientId) {
    return deny(70000, 'The provided value for the code is not valid for this application.');
  }
  if (code.redirectUri !== form.get('redirect_uri')) {
    return deny(500112, 'The reply address does not match the one of the authorization request.');
  }
  if (code.challenge !== null && !provesChallenge(code.challenge, form.get('code_verifier') ?? '')) {
    return deny(501481, 'The Code_Verifier does not match the code_challenge of the authorization request.');
  }
  if (code.grant.revokedBecause !== null) return deny(50173, 'The provided grant has been revoked.');
  return granted(state, code.grant, { call, nonce: code.nonce, withRefreshToken: code.wantsRefreshToken });
}

/** Every refresh brings a new refresh token; the one that was used keeps working. */
function refresh(state: SandboxState, form: URLSearchParams, clientId: string, call: Call): Answer {
  const deny = (number: number, words: string) => loginError(state, 400, 'invalid_grant', number, words);
  const grant = state.grants.useRefreshToken(form.get('refresh_token') ?? '', IDLE_LIMIT_MS);
  if (grant === 'unknown') return deny(9002313, 'Invalid request. Request is malformed or invalid.');
  if (grant === 'revoked') return deny(50173, 'The provided grant has expired due to it being revoked.');
  if (grant === 'idle') return deny(700082, 'The refresh token has expired due to inactivity.');
  if (grant.provider !== 'microsoft' || grant.clientId !== clientId) {
    return deny(70000, 'The provided value for the refresh token is not valid for this application.');
  }
  const asked = (form.get('scope') ?? '')
    .split(/\s+/)
    .filter((scope) => scope !== '')
    .map(shortScope);
  if (asked.some((scope) => !SIGN_IN_SCOPES.has(scope) && !grant.scopes.has(scope))) {
    return deny(65001, 'The user or administrator has not consented to use the application with these scopes.');
  }
  if (state.directory.find('microsoft', grant.email) === undefined) return deny(50034, 'The account does not exist.');
  return granted(state, grant, { call, nonce: null, withRefreshToken: true });
}

function granted(
  state: SandboxState,
  grant: Grant,
  { call, nonce, withRefreshToken }: { call: Call; nonce: string | null; withRefreshToken: boolean },
): Answer {
  const lifeSeconds = state.settings.microsoft.access_token_seconds;
  const account = state.directory.find('microsoft', grant.email);
  if (account === undefined) return loginError(state, 400, 'invalid_grant', 50034, 'The account does not exist.');
  const issuer = `${call.origin}/${TENANT_ID}/v2.0`;
  const about = { account, clientId: grant.clientId, issuer, nonce, lifeSeconds, tenantId: TENANT_ID };
  return ok(
    {
      token_type: 'Bearer',
      scope: [...grant.scopes]
        .filter((scope) => !SIGN_IN_SCOPES.has(scope))
        .map(longScope)
        .join(' '),
      expires_in: lifeSeconds,
      ext_expires_in: lifeSeconds,
      access_token: state.grants.issueAccessToken(grant, lifeSeconds),
      ...(withRefreshToken ? { refresh_token: state.grants.issueRefreshToken(grant) } : {}),
      ...(grant.scopes.has('openid') ? { id_token: idToken({ ...about, nowMs: state.clock.now() }) } : {}),
    },
    { 'cache-control': 'no-store' },
  );
}

/** Clients act on `error`; the number in the words may change and is for logs alone. */
function loginError(state: SandboxState, status: number, error: string, number: number, words: string): Answer {
  const [traceId, correlationId] = [randomUUID(), randomUUID()];
  const timestamp = `${new Date(state.clock.now()).toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const tail = `Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`;
  return {
    status,
    headers: { 'cache-control': 'no-store', 'x-ms-request-id': traceId },
    json: {
      error,
      error_description: `AADSTS${number}: ${words} ${tail}`,
      error_codes: [number],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
      error_uri: `https://login.microsoftonline.com/error?code=${number}`,
    },
  };
}
