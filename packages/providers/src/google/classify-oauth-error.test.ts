import { describe, expect, test } from '@jest/globals';
import { classifyOAuthError, type OAuthFailure, type OAuthOperation } from './classify-oauth-error.ts';

const now = new Date('2026-11-20T09:00:00Z');
const classify = (over: Partial<OAuthFailure>) =>
  classifyOAuthError(
    { operation: 'refresh_token', status: 400, error: null, retryAfter: null, reason: null, ...over },
    now,
  );

const TABLE: readonly [OAuthOperation, number | null, string | null, string, string][] = [
  ['refresh_token', 400, 'invalid_grant', 'auth_revoked', 'invalid_grant'],
  ['refresh_token', 400, 'admin_policy_enforced', 'auth_revoked', 'admin_policy_enforced'],
  ['exchange_code', 400, 'invalid_grant', 'permanent', 'invalid_grant'],
  ['refresh_token', 401, 'invalid_client', 'transient', 'invalid_client'],
  ['refresh_token', 401, 'deleted_client', 'transient', 'deleted_client'],
  ['exchange_code', 400, 'redirect_uri_mismatch', 'permanent', 'redirect_uri_mismatch'],
  ['exchange_code', 400, 'invalid_request', 'permanent', 'invalid_request'],
  ['revoke_token', 400, 'invalid_token', 'permanent', 'invalid_token'],
  ['refresh_token', 400, null, 'transient', 'unknown_400'],
  ['refresh_token', 403, 'rarely_seen', 'transient', 'unknown_403'],
  ['refresh_token', 429, 'rate_limit_exceeded', 'rate_limited', 'rate_limit_exceeded'],
  ['refresh_token', 429, null, 'rate_limited', 'http_429'],
  ['refresh_token', 500, 'internal_failure', 'transient', 'internal_failure'],
  ['refresh_token', 503, null, 'transient', 'http_503'],
  // A dead grant is said with 400; the same word beside a server's failure proves nothing.
  ['refresh_token', 503, 'invalid_grant', 'transient', 'invalid_grant'],
];

describe('[R-3] OAuth’s refusals', () => {
  test.each(TABLE)('%s answered with %p %p is %s', (operation, status, error, kind, reason) => {
    const facts = classify({ operation, status, error });
    expect([facts.kind, facts.reason]).toEqual([kind, reason]);
  });

  test('a refresh without an answer is tried again, and never parks the connection', () => {
    expect(classify({ status: null, reason: 'timeout' })).toMatchObject({ kind: 'transient', reason: 'timeout' });
  });

  test('[R-1] a limit says how long to wait', () => {
    expect(classify({ status: 429, retryAfter: '12' }).retryAfterMs).toBe(12_000);
  });
});
