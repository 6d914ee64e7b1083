import { createHash } from 'node:crypto';

export interface Challenge {
  readonly value: string;
  readonly method: 'S256' | 'plain';
}

/** RFC 7636 §4.6. */
export function provesChallenge(challenge: Challenge, verifier: string): boolean {
  if (!/^[A-Za-z0-9\-._~]{43,128}$/.test(verifier)) return false;
  const shown = challenge.method === 'plain' ? verifier : createHash('sha256').update(verifier).digest('base64url');
  return shown === challenge.value;
}
