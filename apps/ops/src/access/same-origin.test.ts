import { describe, expect, test } from '@jest/globals';
import { isSameOrigin } from './same-origin.ts';

describe('[S-5] where a change comes from', () => {
  test.each([
    [{ host: 'ops.example' }, true],
    [{ host: 'ops.example', origin: 'https://ops.example' }, true],
    [{ host: 'ops.example', origin: 'https://ops.example', fetchSite: 'same-origin' }, true],
    [{ host: 'ops.example', fetchSite: 'none' }, true],
    [{ host: 'ops.example', origin: 'https://evil.example' }, false],
    [{ host: 'ops.example', origin: 'https://ops.example.evil.example' }, false],
    [{ host: 'ops.example', origin: 'null' }, false],
    [{ host: 'ops.example', origin: 'https://ops.example:8443' }, false],
    [{ host: 'ops.example', origin: 'https://ops.example', fetchSite: 'cross-site' }, false],
    [{ host: 'ops.example', fetchSite: 'same-site' }, false],
  ])('%j is our own page: %s', (headers, isOwn) => {
    expect(isSameOrigin(headers)).toBe(isOwn);
  });
});
