import { describe, expect, test } from '@jest/globals';
import { classifyOAuthError, type OAuthFailure } from './classify-oauth-error.ts';

const NOW = new Date('2026-11-20T09:00:00Z');
const failure = (changes: Partial<OAuthFailure>): OAuthFailure => ({
  operation: 'refresh_token',
  status: 400,
  error: null,
  retryAfter: null,
  requestId: null,
  reason: null,
  ...changes,
});

describe('classifyOAuthError', () => {
  test.each([
    ['refresh_token', 400, 'invalid_grant', 'auth_revoked', 'invalid_grant'],
    ['refresh_token', 400, 'interaction_required', 'auth_revoked', 'interaction_required'],
    ['refresh_token', 400, 'consent_required', 'auth_revoked', 'consent_required'],
    ['refresh_token', 400, 'login_required', 'auth_revoked', 'login_required'],
    ['refresh_token', 401, 'invalid_client', 'transient', 'invalid_client'],
    ['refresh_token', 400, 'never_heard', 'transient', 'unknown_400'],
    ['refresh_token', 401, null, 'transient', 'unknown_401'],
    ['refresh_token', 503, 'temporarily_unavailable', 'transient', 'temporarily_unavailable'],
    ['refresh_token', 502, null, 'transient', 'http_502'],
    ['refresh_token', 429, null, 'rate_limited', 'http_429'],
    ['refresh_token', null, null, 'transient', 'no_answer'],
    ['exchange_code', 400, 'invalid_grant', 'permanent', 'invalid_grant'],
    ['exchange_code', 401, 'invalid_client', 'permanent', 'invalid_client'],
    ['exchange_code', 400, 'invalid_request', 'permanent', 'invalid_request'],
    ['exchange_code', 500, 'server_error', 'transient', 'server_error'],
  ] as const)('[R-3] names %s %s %s %s', (operation, status, error, kind, reason) => {
    expect(classifyOAuthError(failure({ operation, status, error }), NOW)).toMatchObject({ kind, reason, status });
  });

  test('[R-1] passes on how long to wait', () => {
    expect(classifyOAuthError(failure({ status: 429, retryAfter: '5' }), NOW).retryAfterMs).toBe(5_000);
    expect(classifyOAuthError(failure({ error: 'invalid_grant', retryAfter: '5' }), NOW).retryAfterMs).toBeNull();
  });

  test('[A-1] does not know whether an unanswered exchange used up the code', () => {
    expect(classifyOAuthError(failure({ operation: 'exchange_code', status: null }), NOW).outcomeUnknown).toBe(true);
    expect(classifyOAuthError(failure({ operation: 'refresh_token', status: null }), NOW).outcomeUnknown).toBe(false);
  });
});
