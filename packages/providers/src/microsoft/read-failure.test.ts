import { describe, expect, test } from '@jest/globals';
import { nameConnectionFailure, readRequestId } from './read-failure.ts';

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

describe('readRequestId', () => {
  test.each([
    [{ 'request-id': 'a' }, 'a'],
    [{ 'x-ms-request-id': 'b' }, 'b'],
    [{ 'request-id': 'not an id <script>' }, 'body'],
    [{}, 'body'],
  ])('[B-3] finds in %j the id %s', (headers, id) => {
    expect(readRequestId(new Headers(headers), { codes: [], requestId: 'body' })).toBe(id);
  });
});
