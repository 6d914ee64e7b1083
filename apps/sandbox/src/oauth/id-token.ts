import { createHmac } from 'node:crypto';
import type { Account } from '../calendars/directory.ts';

export interface IdTokenDetails {
  readonly account: Account;
  readonly clientId: string;
  readonly issuer: string;
  readonly nonce: string | null;
  readonly nowMs: number;
  readonly lifeSeconds: number;
  readonly tenantId?: string;
}

/**
 * Who signed in. It comes over the token endpoint's own connection, so its signature is not what makes it true; this
 * one is made with a key that everybody may know.
 */
export function idToken(details: IdTokenDetails): string {
  const { account, clientId, issuer, nonce, nowMs, lifeSeconds, tenantId } = details;
  const issuedAt = Math.floor(nowMs / 1000);
  const person =
    account.provider === 'google'
      ? { sub: account.accountId, email: account.email, email_verified: true }
      : { sub: `s-${account.accountId}`, oid: account.accountId, preferred_username: account.email, tid: tenantId };
  const claims = {
    iss: issuer,
    aud: clientId,
    iat: issuedAt,
    exp: issuedAt + lifeSeconds,
    name: account.displayName,
    ...person,
    ...(nonce === null ? {} : { nonce }),
  };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', 'sandbox').update(signed).digest('base64url')}`;
}

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
