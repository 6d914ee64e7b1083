import { expect, test } from '@jest/globals';
import { parseSwitchName } from './switch-names.ts';

const CONNECTION = '1a111111-1111-4111-8111-111111111111';
const parse = (written: string) => parseSwitchName(written, ['calendar-retry']);

test('a switch is a calendar provider, a queue that may be switched off, a connection, or shadow mode', () => {
  for (const name of [
    'provider:google',
    'provider:microsoft',
    'queue:calendar-retry',
    `connection:${CONNECTION}`,
    'shadow',
  ])
    expect(parse(name)).toBe(name);
});

test('kind and subject of a switch may be written in upper case, and are stored in lower', () => {
  expect(parse('Provider:GOOGLE')).toBe('provider:google');
  expect(parse(`connection:${CONNECTION.toUpperCase()}`)).toBe(`connection:${CONNECTION}`);
});

test('anything else names no switch', () => {
  const strange = ['', 'provider', 'provider:', 'provider:apple', 'queue:other', 'connection:1', 'SHADOW', 'shadow:'];
  for (const name of [...strange, ` provider:google`, `connection:${CONNECTION}:x`, 'CALENDAR_SYNC_ENABLED'])
    expect(parse(name)).toBeNull();
});
