import { randomBytes } from 'node:crypto';

/** An unguessable string of the base64url alphabet. */
export function randomToken(bytes = 24): string {
  return randomBytes(bytes).toString('base64url');
}
