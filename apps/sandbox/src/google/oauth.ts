/** Google's authorization server. developers.google.com/identity/protocols/oauth2. */
import { Router } from 'express';
import { type Answer, html, ok, redirectTo } from '../answer.ts';
import { type Call, mount, type Protocol } from '../endpoint.ts';
import { type AuthorizationRequest, type Decision, readAuthorization, readDecision } from '../oauth/authorization.ts';
import { acceptsRedirect } from '../oauth/clients.ts';
import { consentPage, errorPage } from '../oauth/consent-page.ts';
import { idToken } from '../oauth/id-token.ts';
import { provesChallenge } from '../oauth/pkce.ts';
import { oauthError, readClient } from '../oauth/token-request.ts';
import type { SandboxState } from '../state.ts';

/** A token that was not used for six months is dead. */
const IDLE_LIMIT_MS = 183 * 86_400_000;
const DEAD = 'Token has been expired or revoked.';

export function googleOAuthRoutes(state: SandboxState): Router {
  const router = Router();
  const protocol: Protocol = {
    provider: 'google',
    faultAnswer: (order) => oauthError(order.status, order.reason ?? 'internal_failure', 'As ordered.'),
    latencyMs: () => state.settings.google.latency_ms,
  };
  mount(router, state, protocol, [
    {
      operation: 'oauth.authorize',
      method: 'get',
      path: '/o/oauth2/v2/auth',
      handle: (call) => authorize(state, call),
    },
    {
      operation: 'oauth.decide',
      method: 'post',
      path: '/o/oauth2/v2/auth',
      handle: (call) => authorize(state, call),
    },
    { operation: 'oauth.token', method: 'post', path: '/token', handle: (call) => answerToken(state, call) },
    { operation: 'oauth.revoke', method: 'post', path: '/revoke', handle: (call) => revoke(state, call) },
  ]);
  return router;
}

function authorize(state: SandboxState, call: Call): Answer {
  const request = readAuthorization(call.query);
  if (typeof request === 'string') return errorPage('google', request);
  const client = state.clients.meet('google', request.clientId);
  // Google shows this on a page of its own: a wrong address must not be redirected to.
  if (!acceptsRedirect(client, request.redirectUri)) return errorPage('google', 'redirect_uri_mismatch');
  const decision = readDecision(call);
  if (decision === null) return html(200, consentPage(state, 'google', request, call));
  return decide(state, request, decision);
}

function decide(state: SandboxState, request: AuthorizationRequest, decision: Decision): Answer {
  const back = new URL(request.redirectUri);
  if (request.state !== null) back.searchParams.set('state', request.state);
  if (!decision.isAllowed) {
    back.searchParams.set('error', 'access_denied');
    return redirectTo(back.href);
  }
  state.directory.put({ provider: 'google', email: decision.email });
  const email = decision.email.toLowerCase();
  const earlier = state.grants.find('google', email, request.clientId);
  // People may untick scopes.
  const scopes = request.scopes.filter((scope) => decision.scopes === null || decision.scopes.includes(scope));
  const grant = state.grants.give('google', email, request.clientId, scopes);
  const isFirst = earlier === undefined;
  const code = state.grants.issueCode({
    grant,
    redirectUri: request.redirectUri,
    challenge: request.challenge,
    wantsRefreshToken: request.isOffline && (isFirst || request.prompts.includes('consent')),
    nonce: request.nonce,
  });
  back.searchParams.set('code', code);
  back.searchParams.set('scope', [...grant.scopes].join(' '));
  back.searchParams.set('authuser', '0');
  back.searchParams.set('prompt', isFirst || request.prompts.includes('consent') ? 'consent' : 'none');
  return redirectTo(back.href);
}

function answerToken(state: SandboxState, call: Call): Answer {
  const form = new URLSearchParams(call.text);
  const client = readClient(state, 'google', call, form);
  if (client === null) return oauthError(401, 'invalid_client', 'The OAuth client was not found.');
  switch (form.get('grant_type')) {
    case 'authorization_code':
      return exchange(state, form, client.clientId, call.origin);
    case 'refresh_token':
      return refresh(state, form, client.clientId);
    default:
      return oauthError(400, 'unsupported_grant_type', `Invalid grant_type: ${form.get('grant_type') ?? ''}`);
  }
}

function exchange(state: SandboxState, form: URLSearchParams, clientId: string, issuer: string): Answer {
  const code = state.grants.takeCode(form.get('code') ?? '');
  if (code === null || code.grant.clientId !== clientId)
    return oauthError(400, 'invalid_grant', 'Malformed auth code.');
  if (code.redirectUri !== form.get('redirect_uri')) return oauthError(400, 'redirect_uri_mismatch', 'Bad Request');
  if (code.challenge !== null) {
    const verifier = form.get('code_verifier');
    if (verifier === null) return oauthError(400, 'invalid_grant', 'Missing code verifier.');
    if (!provesChallenge(code.challenge, verifier)) return oauthError(400, 'invalid_grant', 'Invalid code verifier.');
  }
  const { grant } = code;
  const lifeSeconds = state.settings.google.access_token_seconds;
  const account = state.directory.find('google', grant.email);
  if (grant.revokedBecause !== null || account === undefined) return oauthError(400, 'invalid_grant', DEAD);
  return ok({
    access_token: state.grants.issueAccessToken(grant, lifeSeconds),
    expires_in: Math.max(lifeSeconds - 1, 0),
    ...(code.wantsRefreshToken ? { refresh_token: state.grants.issueRefreshToken(grant) } : {}),
    scope: [...grant.scopes].join(' '),
    token_type: 'Bearer',
    ...(grant.scopes.has('openid')
      ? { id_token: idToken({ account, clientId, issuer, nonce: code.nonce, nowMs: state.clock.now(), lifeSeconds }) }
      : {}),
  });
}

/** Google gives no new refresh token here. */
function refresh(state: SandboxState, form: URLSearchParams, clientId: string): Answer {
  const grant = state.grants.useRefreshToken(form.get('refresh_token') ?? '', IDLE_LIMIT_MS);
  if (typeof grant === 'string') {
    return oauthError(400, 'invalid_grant', grant === 'unknown' ? 'Bad Request' : DEAD);
  }
  if (grant.provider !== 'google' || grant.clientId !== clientId) {
    return oauthError(401, 'unauthorized_client', 'Unauthorized');
  }
  if (state.directory.find('google', grant.email) === undefined) return oauthError(400, 'invalid_grant', DEAD);
  const lifeSeconds = state.settings.google.access_token_seconds;
  return ok({
    access_token: state.grants.issueAccessToken(grant, lifeSeconds),
    expires_in: Math.max(lifeSeconds - 1, 0),
    scope: [...grant.scopes].join(' '),
    token_type: 'Bearer',
  });
}

/** Either token ends the whole grant of this person to this client; a token that is dead already is refused. */
function revoke(state: SandboxState, call: Call): Answer {
  const token = new URLSearchParams(call.text).get('token') ?? call.query.get('token') ?? '';
  const grant = state.grants.grantOfToken(token);
  if (grant === undefined || grant.provider !== 'google' || grant.revokedBecause !== null) {
    return oauthError(400, 'invalid_token', 'Token expired or revoked');
  }
  state.grants.revoke((other) => other === grant, DEAD);
  return ok({});
}
