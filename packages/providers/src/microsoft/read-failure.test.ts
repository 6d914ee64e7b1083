import { describe, expect, test } from '@jest/globals';
import { readRequestId } from './read-failure.ts';

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
