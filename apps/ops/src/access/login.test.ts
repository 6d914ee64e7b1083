import { describe, expect, test } from '@jest/globals';
import { createLogin } from './login.ts';

const FULL = 'the-token-of-an-operator';
const OTHER = 'the-token-of-another-operator';
const READER = 'the-token-of-a-reader';
const login = createLogin([FULL, OTHER], [READER]);
const NOW = 1_800_000_000;
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const by = (authorization: string) => login.identify({ authorization, cookie: undefined }, NOW);
const open = (password: string, name = '') => login.open({ password, name }, NOW, false);
const cookieOf = (password: string, name = '') => open(password, name)?.cookie.split(';')[0] ?? '';
const withCookie = (cookie: string, now = NOW) => login.identify({ authorization: undefined, cookie }, now);

describe('[S-5] the operators’ login', () => {
  test('takes a token as bearer, as Basic password with any user name, and by the form', () => {
    expect(by(`Bearer ${FULL}`)).toEqual({ name: 'ops-token-1', mayChange: true });
    expect(by(`bearer ${OTHER}`)).toEqual({ name: 'ops-token-2', mayChange: true });
    expect(by(basic('', FULL))).toEqual({ name: 'ops-token-1', mayChange: true });
    expect(by(basic('robin', OTHER))).toEqual({ name: 'robin (ops-token-2)', mayChange: true });
    expect(withCookie(cookieOf(FULL, 'Robin'))).toEqual({ name: 'Robin (ops-token-1)', mayChange: true });
  });

  test.each(['', FULL.slice(0, -1), `${FULL}-`, 'x'.repeat(10_000)])('takes nothing else (%#)', (wrong) => {
    expect(by(`Bearer ${wrong}`)).toBeNull();
    expect(by(basic('robin', wrong))).toBeNull();
    expect(open(wrong)).toBeNull();
  });

  test('lets readers in to look', () => {
    expect(by(`Bearer ${READER}`)).toEqual({ name: 'read-only-token-1', mayChange: false });
    expect(withCookie(cookieOf(READER))).toEqual({ name: 'read-only-token-1', mayChange: false });
  });

  test('ends a session after twelve hours, and one of a token that was taken away at once', () => {
    const cookie = cookieOf(FULL);
    expect(withCookie(cookie, NOW + 12 * 3600 - 1)).not.toBeNull();
    expect(withCookie(cookie, NOW + 12 * 3600)).toBeNull();
    const without = createLogin([OTHER]);
    expect(without.identify({ authorization: undefined, cookie }, NOW)).toBeNull();
  });

  test('keeps a session while its token is in the list, wherever it stands there', () => {
    const cookie = cookieOf(FULL, 'Robin');
    const rotated = createLogin(['a-token-that-came-later', FULL]);
    expect(rotated.identify({ authorization: undefined, cookie }, NOW)?.name).toBe('Robin (ops-token-2)');
  });

  test('refuses a cookie that was altered in any part', () => {
    const [name = '', value = ''] = cookieOf(READER, 'Robin').split('=');
    const parts = value.split('.');
    const altered = [
      [String(NOW + 999_999), ...parts.slice(1)],
      [parts[0], Buffer.from('Somebody').toString('base64url'), parts[2]],
      [...parts.slice(0, 2), `${parts[2]?.slice(0, -2)}AA`],
      [...parts.slice(0, 2), ''],
      ['0', ...parts],
    ];
    expect(withCookie(`${name}=${value}`)).not.toBeNull();
    for (const one of altered) expect(withCookie(`${name}=${one.join('.')}`)).toBeNull();
  });

  test('keeps the cookie from scripts and other sites, and on https alone where there is https', () => {
    expect(open(FULL)?.cookie).toMatch(/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    expect(login.open({ password: FULL, name: '' }, NOW, true)?.cookie).toMatch(/; Secure$/);
  });

  test('takes nothing into the operator log that is not a name', () => {
    expect(withCookie(cookieOf(FULL, '<script>\n"Robin"; DROP'))?.name).toBe('scriptRobin DROP (ops-token-1)');
    expect(open(FULL, 'x'.repeat(100))?.operator.name).toBe(`${'x'.repeat(40)} (ops-token-1)`);
  });
});
