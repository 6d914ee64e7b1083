/**
 * Who may operate: a bearer token, HTTP Basic with a token as password (any user name), or the form, which answers with
 * a signed cookie. Tokens are compared as digests of equal length, in constant time.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

const COOKIE = 'calsync_ops';
const SESSION_SECONDS = 12 * 3600;
const LONGEST_NAME = 40;

export interface Credentials {
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
}

export interface Operator {
  /** For the operator log: which token, and who said to hold it. */
  readonly name: string;
  /** False for those who may only look. */
  readonly mayChange: boolean;
}

export interface Login {
  /** Null when nobody is logged in. */
  identify(credentials: Credentials, nowSeconds: number): Operator | null;
  /** The cookie for a right password; null for a wrong one. */
  open(
    form: { readonly password: string; readonly name: string },
    nowSeconds: number,
    isSecure: boolean,
  ): { readonly cookie: string; readonly operator: Operator } | null;
  /** The cookie that ends a session. */
  readonly closed: string;
}

/** @param readOnlyTokens open the same pages, and change nothing. */
export function createLogin(tokens: readonly string[], readOnlyTokens: readonly string[] = []): Login {
  const digests = [...tokens, ...readOnlyTokens].map(digest);
  const matches = (token: string) => {
    const given = digest(token);
    // Every token is compared, so that the time does not tell which one was near.
    return digests.reduce((position, known, index) => (timingSafeEqual(known, given) ? index : position), -1);
  };
  const operatorAt = (position: number, name: string): Operator => {
    const mayChange = position < tokens.length;
    const token = mayChange ? `ops-token-${position + 1}` : `read-only-token-${position - tokens.length + 1}`;
    return { name: name === '' ? token : `${name} (${token})`, mayChange };
  };
  const sign = (position: number, expires: number, name: string) =>
    createHmac('sha256', digests[position] as Buffer)
      .update(`ops-session:${expires}:${name}`)
      .digest('base64url');

  return {
    identify({ authorization, cookie }, nowSeconds) {
      const given = readAuthorization(authorization);
      if (given !== null) {
        const position = matches(given.token);
        return position < 0 ? null : operatorAt(position, given.name);
      }
      const [expires = '', encodedName = '', signature = ''] = readCookie(cookie)?.split('.') ?? [];
      if (signature === '' || !(Number(expires) > nowSeconds)) return null;
      const name = Buffer.from(encodedName, 'base64url').toString('utf8');
      // Found by its signature: a session goes on as long as its token is in the list, wherever it stands there.
      const index = digests.findIndex((_, at) => isEqual(signature, sign(at, Number(expires), name)));
      return index < 0 ? null : operatorAt(index, name);
    },
    open({ password, name }, nowSeconds, isSecure) {
      const position = matches(password);
      if (position < 0) return null;
      const expires = Math.floor(nowSeconds) + SESSION_SECONDS;
      const shown = cleanName(name);
      const value = [expires, Buffer.from(shown).toString('base64url'), sign(position, expires, shown)];
      return {
        cookie: `${COOKIE}=${value.join('.')}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${SESSION_SECONDS}${isSecure ? '; Secure' : ''}`,
        operator: operatorAt(position, shown),
      };
    },
    closed: `${COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`,
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

/** Letters, digits and what stands in names; nothing that could pass for markup or another log line. */
function cleanName(name: string): string {
  return name
    .replace(/[^\p{L}\p{N} ._-]/gu, '')
    .trim()
    .slice(0, LONGEST_NAME);
}

/** The token of `Bearer x`, or the name and password of `Basic x`. */
function readAuthorization(authorization: string | undefined): { token: string; name: string } | null {
  const [, scheme = '', value = ''] = /^(\S+)\s+(\S+)$/.exec(authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return { token: value, name: '' };
  if (scheme.toLowerCase() !== 'basic') return null;
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { token: text.slice(colon + 1), name: cleanName(text.slice(0, colon)) };
}

function readCookie(header: string | undefined): string | null {
  for (const part of (header ?? '').split(';')) {
    const [name, value] = part.trim().split('=');
    if (name === COOKIE && value !== undefined) return value;
  }
  return null;
}
