import { describe, expect, test } from '@jest/globals';
import { readErrorBody, readFailure } from './read-failure.ts';

const quiet = new AbortController().signal;

describe('readErrorBody', () => {
  test('takes words from both forms that Google writes them in', () => {
    const body = {
      error: {
        code: 403,
        message: 'a sentence with somebody@example.com',
        errors: [{ reason: 'insufficientPermissions', location: 'Authorization', message: 'a sentence' }],
        details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }],
      },
    };
    expect(readErrorBody(body)).toEqual({
      reasons: ['insufficientPermissions', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'],
      location: 'Authorization',
      isGoogles: true,
    });
  });

  test('leaves out what is no word, for a reason is logged, stored and a label', () => {
    const body = {
      error: { code: 400, errors: [{ reason: 'Haircut with Ann' }, { reason: 'x'.repeat(65) }, {}, null] },
    };
    expect(readErrorBody(body)).toEqual({ reasons: [], location: null, isGoogles: true });
  });

  test.each([[null], ['<html>Not Found</html>'], [{ error: 'nope' }], [{ message: 'Not Found' }], [[]]])(
    'says of %p that it is not Google’s',
    (body) => {
      expect(readErrorBody(body)).toEqual({ reasons: [], location: null, isGoogles: false });
    },
  );
});

describe('readFailure', () => {
  test('reads status, waiting time and request id, and no word of the message', () => {
    const headers = new Headers({ 'retry-after': '7', 'x-goog-request-id': 'abc-1' });
    const error = { message: 'Haircut', config: {}, response: { status: 503, headers, data: 'Haircut' } };
    const failure = readFailure('create_event', error, quiet);
    expect(failure).toMatchObject({ status: 503, retryAfter: '7', requestId: 'abc-1', isGoogles: false });
    expect(JSON.stringify(failure)).not.toContain('Haircut');
  });

  test('does not take a request id that could be anything', () => {
    const headers = new Headers({ 'x-goog-request-id': 'a b; c' });
    expect(readFailure('get_event', { response: { status: 500, headers } }, quiet).requestId).toBeNull();
  });

  test.each([
    ['ECONNREFUSED', 'connection_refused', false],
    ['ENOTFOUND', 'name_not_resolved', false],
    ['ECONNRESET', 'connection_reset', true],
    ['UND_ERR_SOCKET', 'connection_reset', true],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout', true],
    ['CERT_HAS_EXPIRED', 'tls_failure', false],
    ['ESOMETHING', 'network_failure', true],
  ])('names a call without an answer by the deepest cause: %s is %s', (code, reason, wasSent) => {
    const error = { config: {}, cause: { message: 'fetch failed', cause: { code } } };
    expect(readFailure('create_event', error, quiet)).toMatchObject({ status: null, reason, wasSent });
  });

  test.each([
    ['timeout', new DOMException('late', 'TimeoutError')],
    ['aborted', new DOMException('stop', 'AbortError')],
    ['aborted', undefined],
  ])('tells by the signal whether time was up: %s', (reason, cause) => {
    const controller = new AbortController();
    controller.abort(cause);
    expect(readFailure('create_event', { config: {} }, controller.signal)).toMatchObject({ reason, wasSent: true });
  });
});
