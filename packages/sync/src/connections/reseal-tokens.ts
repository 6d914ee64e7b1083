/**
 * Re-sealing every stored token under the newest key, so that an older key can be taken away. May run while the fleet
 * works, and again after it was cut off: each connection is one conditional write, and what is done is skipped.
 */
import { type Database, listSealedTokens, readCredentials, storeResealedTokens } from '@bookiji/db';
import {
  isSealedUnderNewest,
  type SealingKey,
  sealingKeyId,
  sealToken,
  UnsealError,
  unsealToken,
} from './seal-token.ts';

export interface ResealDeps {
  readonly db: Database;
  /** The first one seals, all open. */
  readonly keys: readonly SealingKey[];
  /** Told after each page. */
  readonly onProgress?: (report: ResealReport) => void;
}

export interface ResealReport {
  readonly checkedCount: number;
  readonly resealedCount: number;
  /** Connections of which a token could not be opened, by the id of the key that it asks for. Their owners must reconnect. */
  readonly unreadable: readonly { readonly connectionId: string; readonly keyId: string }[];
  /** Ids of keys other than the newest that tokens are still sealed under: these keys must stay. Empty is the goal. */
  readonly olderKeyIds: readonly string[];
}

type SealedTokens = Awaited<ReturnType<typeof listSealedTokens>>[number];
type Resealed = 'resealed' | 'is_newest' | 'gone' | 'changed' | { readonly unreadableKeyId: string };

const PAGE = 200;
/** Of a connection whose tokens are refreshed just then. */
const TRIES = 5;

export async function resealTokens(deps: ResealDeps): Promise<ResealReport> {
  const unreadable: { connectionId: string; keyId: string }[] = [];
  const olderKeyIds = new Set<string>();
  const counts = { checkedCount: 0, resealedCount: 0 };
  const report = () => ({ ...counts, unreadable: [...unreadable], olderKeyIds: [...olderKeyIds].sort() });
  let page = await listSealedTokens(deps.db, null, PAGE);
  while (page.length > 0) {
    for (const row of page) {
      const outcome = await resealWithPatience(deps, row);
      counts.checkedCount += 1;
      if (outcome === 'resealed') counts.resealedCount += 1;
      if (typeof outcome === 'object') {
        unreadable.push({ connectionId: row.id, keyId: outcome.unreadableKeyId });
        olderKeyIds.add(outcome.unreadableKeyId);
      }
      // What could be opened beside it stays as it is as well.
      if (typeof outcome === 'object' || outcome === 'changed')
        for (const record of olderRecordsOf(row, deps.keys)) olderKeyIds.add(sealingKeyId(record));
    }
    deps.onProgress?.(report());
    page = await listSealedTokens(deps.db, page.at(-1)?.id ?? null, PAGE);
  }
  return report();
}

/** A refresh may come in between; it seals under the newest key that its process knows, so it is looked at again. */
async function resealWithPatience(deps: ResealDeps, row: SealedTokens): Promise<Resealed> {
  let held: SealedTokens | null = row;
  for (let tries = 0; tries < TRIES && held !== null; tries += 1) {
    const outcome = await resealOne(deps, held);
    if (outcome !== 'changed') return outcome;
    const now = await readCredentials(deps.db, row.id);
    held = now === null ? null : { ...now, id: row.id };
  }
  return held === null ? 'gone' : 'changed';
}

async function resealOne({ db, keys }: ResealDeps, row: SealedTokens): Promise<Resealed> {
  const { id, tokenVersion, accessTokenSealed, refreshTokenSealed } = row;
  if (olderRecordsOf(row, keys).length === 0) return 'is_newest';
  const again = (record: string | null, field: 'access_token' | 'refresh_token') => {
    if (record === null) return null;
    const place = { connectionId: id, field };
    return isSealedUnderNewest(record, keys) ? record : sealToken(unsealToken(record, place, keys), place, keys);
  };
  try {
    const sealed = {
      accessTokenSealed: again(accessTokenSealed, 'access_token'),
      refreshTokenSealed: again(refreshTokenSealed, 'refresh_token'),
    };
    return (await storeResealedTokens(db, { id, tokenVersion, ...sealed })) ? 'resealed' : 'changed';
  } catch (error) {
    if (!(error instanceof UnsealError)) throw error;
    return { unreadableKeyId: error.keyId };
  }
}

function olderRecordsOf(
  { accessTokenSealed, refreshTokenSealed }: SealedTokens,
  keys: readonly SealingKey[],
): string[] {
  const records = [accessTokenSealed, refreshTokenSealed].filter((record) => record !== null);
  return records.filter((record) => !isSealedUnderNewest(record, keys));
}
