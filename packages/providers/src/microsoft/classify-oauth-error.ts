import { type ErrorKind, type Operation, type ProviderErrorFacts, readRetryAfter } from '../contract/index.ts';

/** One failed call to the login service. `status` is null when no answer came. */
export interface OAuthFailure {
  readonly operation: Operation;
  readonly status: number | null;
  /** The `error` field. AADSTS numbers and texts may change at any time and are not looked at. */
  readonly error: string | null;
  readonly retryAfter: string | null;
  readonly requestId: string | null;
  /** Ours, where there is no `error`. */
  readonly reason: string | null;
}

/** The grant is dead for work without its owner: only signing in again helps. */
const DEAD_GRANT = new Set(['invalid_grant', 'interaction_required', 'consent_required', 'login_required']);
/** Wrong on our side or refused by the person; asking again changes nothing. */
const REFUSED = new Set([
  'access_denied',
  'invalid_client',
  'invalid_request',
  'invalid_resource',
  'invalid_scope',
  'unauthorized_client',
  'unsupported_grant_type',
]);
const PASSING = new Set(['temporarily_unavailable', 'server_error']);

/**
 * Names a failure of the token endpoint. Pure.
 *
 * For a refresh only a dead grant ends anything: a wrong client secret is ours to mend, and must not cost every
 * provider their connection. https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 */
export function classifyOAuthError(failure: OAuthFailure, now: Date): ProviderErrorFacts {
  const { kind, reason } = nameFailure(failure);
  return {
    kind,
    calendarProvider: 'microsoft',
    operation: failure.operation,
    status: failure.status,
    reason,
    retryAfterMs: kind === 'rate_limited' || kind === 'transient' ? readRetryAfter(failure.retryAfter, now) : null,
    requestId: failure.requestId,
    // A code is used up by the call that was not answered; a refresh token survives it.
    outcomeUnknown: failure.operation === 'exchange_code' && kind === 'transient',
  };
}

function nameFailure({ operation, status, error, reason }: OAuthFailure): { kind: ErrorKind; reason: string } {
  if (status === null) return { kind: 'transient', reason: reason ?? 'no_answer' };
  if (status === 429) return { kind: 'rate_limited', reason: error ?? 'http_429' };
  if (error !== null && DEAD_GRANT.has(error)) {
    return { kind: operation === 'exchange_code' ? 'permanent' : 'auth_revoked', reason: error };
  }
  if (error !== null && REFUSED.has(error)) {
    return { kind: operation === 'exchange_code' ? 'permanent' : 'transient', reason: error };
  }
  if (error !== null && PASSING.has(error)) return { kind: 'transient', reason: error };
  if (status >= 500) return { kind: 'transient', reason: `http_${status}` };
  return { kind: 'transient', reason: reason ?? `unknown_${status}` };
}
