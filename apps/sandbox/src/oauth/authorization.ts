/** What an application asks of a person, and what the person says. RFC 6749 §4.1.1. */
import type { Call } from '../endpoint.ts';
import type { Challenge } from './pkce.ts';

export interface AuthorizationRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state: string | null;
  readonly challenge: Challenge | null;
  readonly isOffline: boolean;
  readonly prompts: readonly string[];
  readonly loginHint: string | null;
  readonly nonce: string | null;
}

/** @returns the error to show when the request is not one. */
export function readAuthorization(query: URLSearchParams): AuthorizationRequest | string {
  const clientId = query.get('client_id');
  const redirectUri = query.get('redirect_uri');
  const scopes = (query.get('scope') ?? '').split(/\s+/).filter((scope) => scope !== '');
  if (clientId === null || clientId === '') return 'invalid_request: missing required parameter: client_id';
  if (redirectUri === null || !URL.canParse(redirectUri)) return 'invalid_request: missing or wrong redirect_uri';
  if (query.get('response_type') !== 'code') return 'unsupported_response_type';
  if (scopes.length === 0) return 'invalid_request: missing required parameter: scope';
  const challenge = readChallenge(query);
  if (challenge === 'wrong') return 'invalid_request: code_challenge';
  return {
    clientId,
    redirectUri,
    scopes,
    state: query.get('state'),
    challenge,
    isOffline: query.get('access_type') === 'offline',
    prompts: (query.get('prompt') ?? '').split(/\s+/).filter((prompt) => prompt !== ''),
    loginHint: query.get('login_hint'),
    nonce: query.get('nonce'),
  };
}

function readChallenge(query: URLSearchParams): Challenge | null | 'wrong' {
  const value = query.get('code_challenge');
  const method = query.get('code_challenge_method') ?? 'plain';
  if (value === null) return null;
  if (!/^[A-Za-z0-9\-._~]{43,128}$/.test(value)) return 'wrong';
  return method === 'S256' || method === 'plain' ? { value, method } : 'wrong';
}

export interface Decision {
  readonly email: string;
  readonly isAllowed: boolean;
  /** Null: everything that was asked for. */
  readonly scopes: readonly string[] | null;
}

/**
 * From the consent page's form, or from the query, for those without a browser:
 * `&sandbox_user=<email>&sandbox_decision=allow|deny&sandbox_scopes=<space separated>`.
 */
export function readDecision(call: Call): Decision | null {
  const form = call.method === 'POST' ? new URLSearchParams(call.text) : call.query;
  const email = (form.get('sandbox_new_user') || form.get('sandbox_user'))?.trim() ?? '';
  const decision = form.get('sandbox_decision');
  if (decision !== 'allow' && decision !== 'deny') return null;
  if (!/^[^@\s]+@[^@\s]+$/.test(email) && decision === 'allow') return null;
  const ticked = form.getAll('sandbox_scope');
  const named = form.get('sandbox_scopes')?.split(/\s+/);
  const scopes = call.method === 'POST' ? ticked : (named ?? null);
  return { email: email.toLowerCase(), isAllowed: decision === 'allow', scopes };
}
