import { type ErrorKind, type ProviderErrorFacts, readRetryAfter } from '../contract/index.ts';

export type OAuthOperation = 'exchange_code' | 'refresh_token' | 'revoke_token';

/** One failed call to Google's token or revocation endpoint. `status` is null when no answer came. */
export interface OAuthFailure {
  readonly operation: OAuthOperation;
  readonly status: number | null;
  /** The `error` of the body: a word of OAuth's. Null when there is none. */
  readonly error: string | null;
  readonly retryAfter: string | null;
  /** Ours, for a failure without a word of Google's. */
  readonly reason: string | null;
}

/** Words that end a grant: only its owner can give another one. */
const ENDED_GRANT: ReadonlySet<string> = new Set([
  'invalid_grant',
  'admin_policy_enforced',
  'access_denied',
  'org_internal',
]);
/** Words for mistakes of ours: the client, its secret, its redirect address. */
const OUR_MISTAKE: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'deleted_client',
  'disabled_client',
  'invalid_request',
  'invalid_scope',
  'invalid_token',
  'redirect_uri_mismatch',
  'unsupported_grant_type',
  'unsupported_token_type',
]);

/**
 * Names a failure of OAuth. Pure.
 *
 * `invalid_grant` is one word for many ends (taken back, unused for half a year, too many tokens, the seven days of an
 * app in testing); for a refresh all of them mean that the person must connect again, for a code that it is used up. A wrong
 * client secret is ours to mend, and must not cost what was to be done with the refreshed token.
 * https://developers.google.com/identity/protocols/oauth2
 */
export function classifyOAuthError(failure: OAuthFailure, now: Date): ProviderErrorFacts {
  const { kind, reason } = nameFailure(failure);
  return {
    kind,
    calendarProvider: 'google',
    operation: failure.operation,
    status: failure.status,
    reason,
    retryAfterMs: kind === 'rate_limited' || kind === 'transient' ? readRetryAfter(failure.retryAfter, now) : null,
    requestId: null,
    // Nothing to read back: a code is used up either way, and a refresh can be repeated.
    outcomeUnknown: false,
  };
}

function nameFailure({ operation, status, error, reason }: OAuthFailure): { kind: ErrorKind; reason: string } {
  if (status === null || reason !== null) return { kind: 'transient', reason: reason ?? 'no_answer' };
  if (status === 429) return { kind: 'rate_limited', reason: error ?? 'http_429' };
  if (status >= 500) return { kind: 'transient', reason: error ?? `http_${status}` };
  if (error !== null && ENDED_GRANT.has(error)) {
    return { kind: operation === 'refresh_token' ? 'auth_revoked' : 'permanent', reason: error };
  }
  if (error !== null && OUR_MISTAKE.has(error)) {
    return { kind: operation === 'refresh_token' ? 'transient' : 'permanent', reason: error };
  }
  return { kind: 'transient', reason: `unknown_${status}` };
}
