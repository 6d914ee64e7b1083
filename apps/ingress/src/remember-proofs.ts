import { timingSafeEqual } from 'node:crypto';

/** Channels remembered at most twice this many: some ten megabytes. */
const GENERATION = 50_000;

/**
 * A proof costs an HMAC, and a channel shows the same one with every notification. What was proven once is compared from
 * then on, in constant time; what was not is never kept, so forged ids cannot push out honest ones.
 *
 * Two generations stand in for an order of use: when the younger is full it becomes the older one.
 *
 * @param isProof asks for real; must say the same for the same pair for as long as the process lives.
 */
export function rememberProofs(
  isProof: (channelId: string, proof: string) => boolean,
  generation = GENERATION,
): (channelId: string, proof: string) => boolean {
  let younger = new Map<string, Buffer>();
  let older = new Map<string, Buffer>();
  const keep = (channelId: string, proof: Buffer) => {
    if (younger.size >= generation) {
      older = younger;
      younger = new Map();
    }
    younger.set(channelId, proof);
  };
  return (channelId, proof) => {
    const known = younger.get(channelId) ?? older.get(channelId);
    const given = Buffer.from(proof);
    if (known !== undefined && isSame(known, given)) {
      if (!younger.has(channelId)) keep(channelId, known);
      return true;
    }
    const isProven = isProof(channelId, proof);
    if (isProven) keep(channelId, given);
    return isProven;
  };
}

function isSame(known: Buffer, given: Buffer): boolean {
  return known.length === given.length && timingSafeEqual(known, given);
}
