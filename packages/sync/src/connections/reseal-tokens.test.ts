import { randomBytes } from 'node:crypto';
import { openDatabase, readCredentials, storeRefreshedTokens } from '@bookiji/db';
import { type BuiltConnection, createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resealTokens } from './reseal-tokens.ts';
import { type SealingKey, sealToken, UnsealError, unsealToken } from './seal-token.ts';

const [newest, older, lost] = ['newest', 'older', 'lost'].map((id) => ({ id, key: randomBytes(32) })) as [
  SealingKey,
  SealingKey,
  SealingKey,
];
const keys = [newest, older];

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => database.sql`TRUNCATE external_calendar_connections CASCADE`);

async function connectionUnder(refreshKey: SealingKey, accessKey = refreshKey): Promise<BuiltConnection> {
  const connection = await insertConnection(database.sql);
  const seal = (field: 'access_token' | 'refresh_token', key: SealingKey) =>
    sealToken(`${field} of ${connection.id}`, { connectionId: connection.id, field }, [key]);
  await database.sql`
    UPDATE external_calendar_connections
       SET access_token_sealed = ${seal('access_token', accessKey)},
           refresh_token_sealed = ${seal('refresh_token', refreshKey)}
     WHERE id = ${connection.id}`;
  return connection;
}

async function openRefreshToken(connection: BuiltConnection, under: readonly SealingKey[]): Promise<string> {
  const stored = await readCredentials(database.db, connection.id);
  return unsealToken(stored?.refreshTokenSealed ?? '', { connectionId: connection.id, field: 'refresh_token' }, under);
}

describe('re-sealing tokens', () => {
  test('[A-1] leaves all of them under the newest key, so that the older one can be taken away', async () => {
    const held = await Promise.all(Array.from({ length: 5 }, () => connectionUnder(older)));
    const fresh = await connectionUnder(newest);
    expect(await resealTokens({ db: database.db, keys })).toEqual({
      checkedCount: 6,
      resealedCount: 5,
      unreadable: [],
      olderKeyIds: [],
    });
    for (const connection of [...held, fresh]) {
      expect(await openRefreshToken(connection, [newest])).toBe(`refresh_token of ${connection.id}`);
    }
    expect((await resealTokens({ db: database.db, keys })).resealedCount).toBe(0);
  });

  test('[A-1] names the connections of a key that is not there, and goes on with the others', async () => {
    const blind = await connectionUnder(lost);
    const sighted = await connectionUnder(older);
    expect(await resealTokens({ db: database.db, keys })).toEqual({
      checkedCount: 2,
      resealedCount: 1,
      unreadable: [{ connectionId: blind.id, keyId: 'lost' }],
      olderKeyIds: ['lost'],
    });
    expect(await openRefreshToken(sighted, [newest])).toBe(`refresh_token of ${sighted.id}`);
    expect(await openRefreshToken(blind, [lost])).toBe(`refresh_token of ${blind.id}`);
  });

  test('[A-1] names the key of the token that cannot be opened, not of the one beside it', async () => {
    const connection = await connectionUnder(lost, older);
    expect(await resealTokens({ db: database.db, keys })).toMatchObject({
      unreadable: [{ connectionId: connection.id, keyId: 'lost' }],
      olderKeyIds: ['lost', 'older'],
    });
  });

  test('[A-1] writes over no token that was refreshed meanwhile, and re-seals that one', async () => {
    const connection = await connectionUnder(older);
    const fields = { connectionId: connection.id, field: 'refresh_token' } as const;
    // Between the reading of the page and the write of its first row, another process stores a rotated token.
    const racing = openDatabase(database.url, { applicationName: 'racing', max: 1 });
    let hasRaced = false;
    const slow = new Proxy(database.db, {
      get(target, name, receiver) {
        if (name !== 'update') return Reflect.get(target, name, receiver);
        return (...given: Parameters<typeof target.update>) => {
          const builder = target.update(...given);
          if (hasRaced) return builder;
          hasRaced = true;
          return {
            set: (values: never) => ({
              where: (condition: never) => ({
                returning: async (shape: never) => {
                  await storeRefreshedTokens(racing.db, {
                    connectionId: connection.id,
                    tokenVersion: (await readCredentials(racing.db, connection.id))?.tokenVersion ?? 0,
                    accessTokenSealed: sealToken('rotated', { ...fields, field: 'access_token' }, [older]),
                    refreshTokenSealed: sealToken('rotated', fields, [older]),
                    expiresInSeconds: 3_600,
                  });
                  return builder.set(values).where(condition).returning(shape);
                },
              }),
            }),
          };
        };
      },
    });
    expect(await resealTokens({ db: slow, keys })).toMatchObject({ resealedCount: 1, olderKeyIds: [] });
    await racing.close();
    expect(await openRefreshToken(connection, [newest])).toBe('rotated');
  });
});

describe('a sealed token', () => {
  const place = { connectionId: 'c1', field: 'refresh_token' } as const;

  test('[A-1] is sealed under the first key, names it, and is opened under any', () => {
    const record = sealToken('secret', place, keys);
    expect(record).toMatch(/^v1\.newest\./);
    expect(record).not.toContain('secret');
    expect(unsealToken(record, place, [older, newest])).toBe('secret');
    expect(sealToken('secret', place, keys)).not.toBe(record);
  });

  test.each([
    ['under a key that is not there', (record: string) => record, place, [older]],
    ['in another connection’s row', (record: string) => record, { ...place, connectionId: 'c2' }, keys],
    ['in the other field', (record: string) => record, { ...place, field: 'access_token' } as const, keys],
    ['with another ending', (record: string) => `${record.slice(0, -3)}AAA`, place, keys],
    ['with a key’s name exchanged', (record: string) => record.replace('newest', 'older'), place, keys],
    ['of another form', () => 'plain', place, keys],
  ])('[A-1] cannot be opened %s', (_name, alter, where, under) => {
    const record = alter(sealToken('secret', place, keys));
    expect(() => unsealToken(record, where, under)).toThrow(UnsealError);
  });
});
