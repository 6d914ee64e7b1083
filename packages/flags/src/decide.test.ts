import { describe, expect, test } from '@jest/globals';
import { isAllowed, isFlagOn } from './decide.ts';
import { FLAG_NAMES, readFlagCeiling } from './flag-names.ts';

const A = '11111111-1111-4111-8111-111111111111';
const B = '22222222-2222-4222-8222-222222222222';

describe('flags', () => {
  test.each(FLAG_NAMES)('[F-1] %s is off unless the environment says exactly true', (name) => {
    for (const value of [undefined, '', '1', 'TRUE', 'yes', 'on', ' true', 'false']) {
      expect(isFlagOn(name, readFlagCeiling({ [name]: value }), new Map())).toBe(false);
    }
    expect(isFlagOn(name, readFlagCeiling({ [name]: 'true' }), new Map())).toBe(true);
  });

  test('[F-1] an operator can switch a flag off but never on above the environment', () => {
    const on = readFlagCeiling({ CALENDAR_SYNC_ENABLED: 'true' });
    const off = readFlagCeiling({});
    expect(isFlagOn('CALENDAR_SYNC_ENABLED', on, new Map([['CALENDAR_SYNC_ENABLED', false]]))).toBe(false);
    expect(isFlagOn('CALENDAR_SYNC_ENABLED', off, new Map([['CALENDAR_SYNC_ENABLED', true]]))).toBe(false);
    expect(isFlagOn('CALENDAR_SYNC_ENABLED', on, new Map([['CALENDAR_SYNC_ENABLED', true]]))).toBe(true);
  });
});

describe('allowlists', () => {
  test('[F-2] an empty list restricts nothing', () => {
    expect(
      isAllowed({ providerId: A, connectionId: B }, readFlagCeiling({ CALENDAR_ALLOWLIST_PROVIDER_IDS: ' , ' })),
    ).toBe(true);
  });

  test('[F-2] every list that is not empty must contain its id', () => {
    const both = readFlagCeiling({
      CALENDAR_ALLOWLIST_PROVIDER_IDS: A,
      CALENDAR_ALLOWLIST_CONNECTION_IDS: `${B}, ${A}`,
    });
    expect(isAllowed({ providerId: A, connectionId: B }, both)).toBe(true);
    expect(isAllowed({ providerId: B, connectionId: B }, both)).toBe(false);
    expect(isAllowed({ providerId: A, connectionId: '33333333-3333-4333-8333-333333333333' }, both)).toBe(false);
  });

  test('[F-2] a question about the provider alone is answered by the provider list alone', () => {
    const both = readFlagCeiling({ CALENDAR_ALLOWLIST_PROVIDER_IDS: A, CALENDAR_ALLOWLIST_CONNECTION_IDS: B });
    expect(isAllowed({ providerId: A.toUpperCase() }, both)).toBe(true);
    expect(isAllowed({ providerId: B }, both)).toBe(false);
  });
});
