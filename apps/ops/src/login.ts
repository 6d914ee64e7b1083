/**
 * Who may operate: a bearer token, HTTP Basic with a token as password (any user name), or the form, which answers with
 * a signed cookie. Tokens are compared as digests of equal length, in constant time.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

const COOKIE = 'calsync_ops';
const SESSION_SECONDS = 12 * 3600;

export interface Credentials {
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
}

export interface Login {
  /** A short name for the audit log; null when nobody is logged in. */
  identify(credentials: Credentials, nowSeconds: number): string | null;
  /** The cookie for a right password; null for a wrong one. */
  open(password: string, nowSeconds: number, isSecure: boolean): string | null;
  /** The cookie that ends a session. */
  readonly closed: string;
}

export function createLogin(tokens: readonly string[]): Login {
  const digests = tokens.map(digest);
  const matches = (token: string) => {
    const given = digest(token);
    // Every token is compared, so that the time does not tell which one was near.
    return digests.reduce((position, known, index) => (timingSafeEqual(known, given) ? index : position), -1);
  };
  const sign = (position: number, expires: number) =>
    createHmac('sha256', digests[position] as Buffer)
      .update(`ops-session:${position}:${expires}`)
      .digest('base64url');

  return {
    identify({ authorization, cookie }, nowSeconds) {
      const token = readToken(authorization);
      if (token !== null) {
        const position = matches(token);
        return position < 0 ? null : `ops-token-${position + 1}`;
      }
      const [position = '', expires = '', signature = ''] = readCookie(cookie)?.split('.') ?? [];
      const index = Number(position);
      if (signature === '' || !(index in digests) || !(Number(expires) > nowSeconds)) return null;
      return isEqual(signature, sign(index, Number(expires))) ? `ops-token-${index + 1}` : null;
    },
    open(password, nowSeconds, isSecure) {
      const position = matches(password);
      if (position < 0) return null;
      const expires = Math.floor(nowSeconds) + SESSION_SECONDS;
      const value = `${position}.${expires}.${sign(position, expires)}`;
      return `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${SESSION_SECONDS}${isSecure ? '; Secure' : ''}`;
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

/** The token of `Bearer x`, or the password of `Basic x`. */
function readToken(authorization: string | undefined): string | null {
  const [, scheme = '', value = ''] = /^(\S+)\s+(\S+)$/.exec(authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return null;
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : text.slice(colon + 1);
}

function readCookie(header: string | undefined): string | null {
  for (const part of (header ?? '').split(';')) {
    const [name, value] = part.trim().split('=');
    if (name === COOKIE && value !== undefined) return value;
  }
  return null;
}
