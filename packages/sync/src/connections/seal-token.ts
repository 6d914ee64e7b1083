/**
 * Tokens at rest: AES-256-GCM under the first key, opened under any. The record names its key, and is bound to the
 * connection and the field it belongs to, so that nobody can put one connection's token into another's row.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export interface SealingKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** What a record belongs to. */
export interface SealedPlace {
  readonly connectionId: string;
  readonly field: 'access_token' | 'refresh_token';
}

/** A record that cannot be opened: altered, moved, or sealed under a key that is not here. Says nothing of its content. */
export class UnsealError extends Error {
  /** Of the key that the record asks for; empty when it names none. */
  readonly keyId: string;

  constructor(record: string, reason: string) {
    super(`a sealed token cannot be opened: ${reason}`);
    this.name = 'UnsealError';
    this.keyId = sealingKeyId(record);
  }
}

const VERSION = 'v1';

/** `v1.<key id>.<iv>.<ciphertext>.<tag>`, base64url. */
export function sealToken(token: string, place: SealedPlace, keys: readonly SealingKey[]): string {
  const [newest] = keys;
  if (newest === undefined) throw new Error('there is no key to seal with');
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', newest.key, iv).setAAD(bind(place));
  const text = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()]);
  return [VERSION, newest.id, ...[iv, text, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join('.');
}

/** @throws UnsealError */
export function unsealToken(record: string, place: SealedPlace, keys: readonly SealingKey[]): string {
  const [version, keyId, ...parts] = record.split('.');
  const [iv, text, tag] = parts.map((part) => Buffer.from(part, 'base64url'));
  if (version !== VERSION || iv === undefined || text === undefined || tag === undefined) {
    throw new UnsealError(record, 'it has an unknown form');
  }
  const key = keys.find(({ id }) => id === keyId);
  if (key === undefined) throw new UnsealError(record, `key "${keyId}" is not among the keys`);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.key, iv).setAAD(bind(place)).setAuthTag(tag);
    return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8');
  } catch {
    throw new UnsealError(record, 'it was altered or belongs elsewhere');
  }
}

/** The id of the key that a record says it is sealed under. */
export function sealingKeyId(record: string): string {
  return record.split('.')[1] ?? '';
}

/** Whether a record is sealed under the newest key. */
export function isSealedUnderNewest(record: string, keys: readonly SealingKey[]): boolean {
  return sealingKeyId(record) === keys[0]?.id;
}

function bind({ connectionId, field }: SealedPlace): Buffer {
  return Buffer.from(`${connectionId}:${field}`);
}
