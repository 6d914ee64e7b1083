import { describe, expect, test } from '@jest/globals';
import { loadSettings, pick } from './settings.ts';

describe('flags', () => {
  test.each(['TRUE', ' true', 'enabled', '1', 'yes', 'null', 'perhaps', 'ture', 'true;', ''])(
    '[F-1] %j is off, and no reason not to start',
    (word) => {
      const given = loadSettings(pick('CALENDAR_JOBS_ENABLED'), { CALENDAR_JOBS_ENABLED: word });
      expect(given).toEqual(word === '' ? {} : { CALENDAR_JOBS_ENABLED: word });
    },
  );

  test('[F-1] a misspelt wish to narrow is a reason not to start', () => {
    expect(() => loadSettings(pick('OPS_READ_ONLY'), { OPS_READ_ONLY: 'ture' })).toThrow(
      'OPS_READ_ONLY must be true (on) or false (off)',
    );
  });
});

test('[W-3] the secrets of a relay follow one another in a list, and one with a comma in it is a secret too', () => {
  const read = (value: string) =>
    loadSettings(pick('GOOGLE_CALENDAR_WEBHOOK_SECRET'), { GOOGLE_CALENDAR_WEBHOOK_SECRET: value })
      .GOOGLE_CALENDAR_WEBHOOK_SECRET;
  expect(read('alpha-secret')).toEqual(['alpha-secret']);
  expect(read('alpha-secret, beta-secret')).toEqual(['alpha-secret, beta-secret', 'alpha-secret', 'beta-secret']);
  expect(read('a,b,c,d,e')).toEqual(['a,b,c,d,e']);
  expect(() => read('short')).toThrow('GOOGLE_CALENDAR_WEBHOOK_SECRET must be at least 6 characters');
});

describe('intervals', () => {
  test.each([
    ['RECONCILE_INTERVAL_SECONDS', '1', '31536000', '0'],
    ['BACKOFF_BASE_SECONDS', '1', '31536000', '0'],
    ['SWEEP_INTERVAL_MS', '100', '86400000', '99'],
    ['SYNC_WINDOW_PAST_DAYS', '0', '10000', '10001'],
    ['SYNC_WINDOW_FUTURE_DAYS', '1', '1000', '0'],
  ] as const)('[I-4] %s takes %s as well as %s, and not %s', (name, least, most, wrong) => {
    const read = (value: string) => loadSettings(pick(name), { [name]: value })[name];
    expect([read(least), read(most)]).toEqual([Number(least), Number(most)]);
    expect(() => read(wrong)).toThrow(name);
  });
});

describe('secrets', () => {
  test('[W-2] secrets are short or long as their owner likes, but no mere slip of the pen', () => {
    const read = (value: string) => loadSettings(pick('API_TOKENS'), { API_TOKENS: value }).API_TOKENS;
    expect(read('api-token, another-token')).toEqual(['api-token', 'another-token']);
    expect(() => read('api-token,x')).toThrow('API_TOKENS must hold secrets of at least 6 characters');
    expect(() => read(' , ')).toThrow('API_TOKENS must hold at least one secret');
  });
});
