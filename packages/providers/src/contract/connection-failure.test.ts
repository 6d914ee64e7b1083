import { describe, expect, test } from '@jest/globals';
import { nameConnectionFailure, readRetryAfter } from './connection-failure.ts';

const NOW = new Date('2026-11-20T09:00:00Z');
const open = new AbortController().signal;
const fetchFailed = (code: string) => new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) });

describe('nameConnectionFailure', () => {
  test.each([
    ['ECONNREFUSED', 'connection_refused', false],
    ['ENOTFOUND', 'name_not_resolved', false],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout', false],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout', true],
    ['ECONNRESET', 'connection_reset', true],
    ['UND_ERR_SOCKET', 'connection_reset', true],
    ['CERT_HAS_EXPIRED', 'tls_failure', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_failure', false],
    ['ESOMETHING', 'network_failure', true],
  ])('[R-1] reads %s as %s, sent: %s', (code, reason, wasSent) => {
    expect(nameConnectionFailure(fetchFailed(code), open)).toEqual({ reason, wasSent });
  });

  test('[R-1] tells a deadline from a stop', () => {
    const late = AbortSignal.abort(new DOMException('late', 'TimeoutError'));
    expect(nameConnectionFailure(new Error('x'), late)).toEqual({ reason: 'timeout', wasSent: true });
    expect(nameConnectionFailure(new Error('x'), AbortSignal.abort())).toEqual({ reason: 'aborted', wasSent: true });
  });
});

describe('readRetryAfter', () => {
  test.each([
    ['10', 10_000],
    ['0.5', 500],
    ['-3', 0],
    ['Fri, 20 Nov 2026 09:02:00 GMT', 120_000],
    ['Fri, 20 Nov 2026 08:00:00 GMT', 0],
    ['soon', null],
    ['', null],
    [null, null],
  ])('[R-1] reads %j as %j ms', (header, ms) => {
    expect(readRetryAfter(header, NOW)).toBe(ms);
  });
});
