/**
 * Links that let a provider connect a calendar: signed, good for ten minutes and once. And the state that binds the
 * way through the calendar provider's consent page to the browser that began it. All pure.
 */
import { createHash, createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { CalendarProvider } from '@bookiji/providers/contract';

export const LINK_SECONDS = 600;

export interface ConnectClaims {
  readonly linkId: string;
  readonly providerId: string;
  readonly calendarProvider: CalendarProvider;
  /** Where the browser goes afterwards; checked before it was signed. */
  readonly returnTo: string | null;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** What the state cookie holds: the claims again, and what only this browser may know. */
export interface OAuthState extends ConnectClaims {
  readonly nonce: string;
  readonly codeVerifier: string;
}

export function createConnectClaims(
  wanted: Pick<ConnectClaims, 'providerId' | 'calendarProvider' | 'returnTo'>,
  nowSeconds: number,
): ConnectClaims {
  return { ...wanted, linkId: randomUUID(), expiresAt: Math.floor(nowSeconds) + LINK_SECONDS };
}

/** A state for a link: a fresh nonce for the provider's page and a PKCE verifier for the exchange. */
export function createOAuthState(claims: ConnectClaims): OAuthState {
  return {
    ...claims,
    nonce: randomBytes(24).toString('base64url'),
    codeVerifier: randomBytes(48).toString('base64url'),
  };
}

export function codeChallengeOf(codeVerifier: string): string {
  return createHash('sha256').update(codeVerifier).digest('base64url');
}

/** `<payload>.<signature>`: readable by its holder, changeable by nobody. The purpose keeps one kind from passing as another. */
export function signClaims(
  purpose: 'connect-link' | 'oauth-state',
  claims: object,
  secrets: readonly string[],
): string {
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `${payload}.${sign(purpose, payload, secrets[0] ?? '')}`;
}

/** The claims if any of the secrets signed them and their time is not over; else null. */
export function readClaims<T extends ConnectClaims>(
  purpose: 'connect-link' | 'oauth-state',
  token: string,
  secrets: readonly string[],
  nowSeconds: number,
): T | null {
  const dot = token.indexOf('.');
  const payload = token.slice(0, Math.max(dot, 0));
  // Compared as text: base64 takes several texts for the same bytes, and a token that was altered is not ours.
  const given = Buffer.from(token.slice(dot + 1));
  const isOurs = secrets.some((secret) => {
    const right = Buffer.from(sign(purpose, payload, secret));
    return given.length === right.length && timingSafeEqual(given, right);
  });
  if (!isOurs) return null;
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as T;
  return claims.expiresAt > nowSeconds ? claims : null;
}

/** Whether two secrets of a browser are the same, in constant time. */
export function isSameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function sign(purpose: string, payload: string, secret: string): string {
  return createHmac('sha256', secret).update(`${purpose}:${payload}`).digest('base64url');
}

/**
 * Where a browser may be sent back to: an absolute http(s) URL without credentials. It comes from the booking service
 * under its API token and travels inside the signed link, so nobody else can choose it.
 */
export function isReturnTo(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return ['https:', 'http:'].includes(url.protocol) && url.username === '' && url.password === '';
}
