/** What people have granted to applications, and the tokens that stand for it. Tokens live by the sandbox's clock. */
import type { SandboxClock } from '../clock.ts';
import type { Provider } from '../provider.ts';
import { randomToken } from '../random.ts';
import type { Challenge } from './pkce.ts';

/** One person's permission to one application. */
export interface Grant {
  readonly id: string;
  readonly provider: Provider;
  readonly email: string;
  readonly clientId: string;
  scopes: Set<string>;
  /** Set once it is over, with the words for the token endpoint. */
  revokedBecause: string | null;
}

interface RefreshToken {
  readonly token: string;
  readonly grant: Grant;
  lastUsedMs: number;
}

interface AccessToken {
  readonly grant: Grant;
  readonly scopes: ReadonlySet<string>;
  readonly expiresAtMs: number;
}

export interface AuthorizationCode {
  readonly grant: Grant;
  readonly redirectUri: string;
  readonly challenge: Challenge | null;
  readonly wantsRefreshToken: boolean;
  readonly nonce: string | null;
  readonly expiresAtMs: number;
}

/**
 * 100 refresh tokens per account and client; the 101st silently kills the oldest.
 * See developers.google.com/identity/protocols/oauth2.
 */
const MOST_REFRESH_TOKENS = 100;
const CODE_LIFE_MS = 600_000;

export class Grants {
  readonly #clock: SandboxClock;
  readonly #grants = new Map<string, Grant>();
  readonly #refreshTokens = new Map<string, RefreshToken>();
  readonly #accessTokens = new Map<string, AccessToken>();
  readonly #codes = new Map<string, AuthorizationCode | 'used'>();

  constructor(clock: SandboxClock) {
    this.#clock = clock;
  }

  /** The living grant of this person to this client. */
  find(provider: Provider, email: string, clientId: string): Grant | undefined {
    const grant = this.#grants.get(keyOf(provider, email, clientId));
    return grant?.revokedBecause === null ? grant : undefined;
  }

  /** Adds scopes to the living grant or starts a new one. */
  give(provider: Provider, email: string, clientId: string, scopes: Iterable<string>): Grant {
    const living = this.find(provider, email, clientId);
    if (living !== undefined) {
      living.scopes = new Set([...living.scopes, ...scopes]);
      return living;
    }
    const id = randomToken(9);
    const grant: Grant = { id, provider, email, clientId, scopes: new Set(scopes), revokedBecause: null };
    this.#grants.set(keyOf(provider, email, clientId), grant);
    return grant;
  }

  issueCode(details: Omit<AuthorizationCode, 'expiresAtMs'>): string {
    const code = `${details.grant.provider === 'google' ? '4/0A' : '0.A'}${randomToken(32)}`;
    this.#codes.set(code, { ...details, expiresAtMs: this.#clock.now() + CODE_LIFE_MS });
    return code;
  }

  /** A code works once. @returns null when it is unknown, used or too old. */
  takeCode(code: string): AuthorizationCode | null {
    const held = this.#codes.get(code);
    if (held === undefined || held === 'used') return null;
    this.#codes.set(code, 'used');
    return held.expiresAtMs > this.#clock.now() ? held : null;
  }

  issueAccessToken(grant: Grant, lifeSeconds: number, scopes: ReadonlySet<string> = grant.scopes): string {
    const token = grant.provider === 'google' ? `ya29.a0${randomToken(48)}` : `EwB${randomToken(60)}`;
    const expiresAtMs = this.#clock.now() + lifeSeconds * 1000;
    this.#accessTokens.set(token, { grant, scopes: new Set(scopes), expiresAtMs });
    if (this.#accessTokens.size > 50_000) this.#forgetExpired();
    return token;
  }

  issueRefreshToken(grant: Grant): string {
    const token = grant.provider === 'google' ? `1//0${randomToken(48)}` : `0.AX${randomToken(80)}`;
    this.#refreshTokens.set(token, { token, grant, lastUsedMs: this.#clock.now() });
    if (grant.provider === 'google') this.#dropOldest(grant);
    return token;
  }

  /** @returns the token's grant, or the reason why it no longer works. */
  useRefreshToken(token: string, idleLimitMs: number): Grant | 'unknown' | 'revoked' | 'idle' {
    const held = this.#refreshTokens.get(token);
    if (held === undefined) return 'unknown';
    if (held.grant.revokedBecause !== null) return 'revoked';
    if (this.#clock.now() - held.lastUsedMs > idleLimitMs) return 'idle';
    held.lastUsedMs = this.#clock.now();
    return held.grant;
  }

  /** @returns null when the token is unknown, expired or its grant is over. */
  readAccessToken(token: string): AccessToken | 'unknown' | 'expired' {
    const held = this.#accessTokens.get(token);
    if (held === undefined || held.grant.revokedBecause !== null) return 'unknown';
    return held.expiresAtMs <= this.#clock.now() ? 'expired' : held;
  }

  grantOfToken(token: string): Grant | undefined {
    return this.#refreshTokens.get(token)?.grant ?? this.#accessTokens.get(token)?.grant;
  }

  /** Ends grants; their access tokens end with them. @returns how many were alive. */
  revoke(matches: (grant: Grant) => boolean, because: string): number {
    let count = 0;
    for (const grant of this.#grants.values()) {
      if (grant.revokedBecause !== null || !matches(grant)) continue;
      grant.revokedBecause = because;
      count += 1;
    }
    return count;
  }

  /** Every access token stops working now; refresh tokens stay. */
  expireAccessTokens(matches: (grant: Grant) => boolean): number {
    let count = 0;
    for (const [token, held] of this.#accessTokens) {
      if (!matches(held.grant)) continue;
      this.#accessTokens.set(token, { ...held, expiresAtMs: this.#clock.now() });
      count += 1;
    }
    return count;
  }

  list(): Grant[] {
    return [...this.#grants.values()];
  }

  clear(): void {
    for (const held of [this.#grants, this.#refreshTokens, this.#accessTokens, this.#codes]) held.clear();
  }

  #dropOldest(grant: Grant): void {
    const own = [...this.#refreshTokens.values()].filter((held) => held.grant === grant);
    for (const held of own.slice(0, -MOST_REFRESH_TOKENS)) this.#refreshTokens.delete(held.token);
  }

  #forgetExpired(): void {
    const longAgo = this.#clock.now() - 3_600_000;
    for (const [token, held] of this.#accessTokens) {
      if (held.expiresAtMs < longAgo) this.#accessTokens.delete(token);
    }
  }
}

function keyOf(provider: Provider, email: string, clientId: string): string {
  return `${provider}:${email}:${clientId}`;
}
