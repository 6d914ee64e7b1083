import { z } from 'zod';
import type { AccountIdentity } from '../contract/index.ts';

const text = z.string().min(1).nullable().catch(null);
const claimsShape = z.object({ oid: text, sub: text, email: text, preferred_username: text });
const profileShape = z.object({ id: text, mail: text, userPrincipalName: text });

/**
 * Who an `id_token` speaks of. Pure. Its signature is not checked: it came straight from the token endpoint over TLS, in
 * the answer to our own secret (OpenID Connect Core 3.1.3.7, point 6).
 */
export function readIdToken(idToken: string | null): AccountIdentity {
  const payload = idToken?.split('.')[1];
  if (payload === undefined) return NOBODY;
  try {
    const claims = claimsShape.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))).data;
    if (claims === undefined) return NOBODY;
    return {
      accountId: claims.oid ?? claims.sub,
      email: asAddress(claims.email) ?? asAddress(claims.preferred_username),
    };
  } catch {
    return NOBODY;
  }
}

/** Who `/me` says the account is. Pure. */
export function readProfile(body: unknown): AccountIdentity {
  const profile = profileShape.safeParse(body).data;
  if (profile === undefined) return NOBODY;
  return { accountId: profile.id, email: asAddress(profile.mail) ?? asAddress(profile.userPrincipalName) };
}

const NOBODY: AccountIdentity = { accountId: null, email: null };

/** A user name may also be a telephone number. */
function asAddress(name: string | null): string | null {
  return name?.includes('@') ? name : null;
}
