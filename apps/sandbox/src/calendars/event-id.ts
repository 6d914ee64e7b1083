import { randomBytes } from 'node:crypto';

/** 26 characters of Google's alphabet for ids, and good enough inside Graph's. */
export function freshEventId(): string {
  return BigInt(`0x${randomBytes(16).toString('hex')}`)
    .toString(32)
    .padStart(26, '0');
}
