import { randomBytes, randomUUID } from 'node:crypto';
import {
  type Connection,
  type Database,
  eraseDisconnecting,
  findConnection,
  requestDisconnect,
  storeGrant,
} from '@bookiji/db';
import type { CalendarPort, OAuthPort } from '@bookiji/providers/contract';
import { createTestDatabase, insertConnection, type TestDatabase } from '@bookiji/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { disconnectProvider } from './disconnect-provider.ts';
import { sealToken } from './seal-token.ts';

const keys = [{ id: 'k', key: randomBytes(32) }];

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Grants to one connection; a later one is its owner's reconnect. */
async function connectOnce() {
  const { sql, db } = database;
  const accountId = randomUUID();
  const connection = await insertConnection(sql, { columns: { account_id: accountId } });
  const seal = (field: 'access_token' | 'refresh_token', token: string) =>
    sealToken(token, { connectionId: connection.id, field }, keys);
  const grant = (refreshToken: string) =>
    storeGrant(db, {
      connectionId: connection.id,
      providerId: connection.providerId,
      calendarProvider: 'google',
      externalCalendarId: 'primary',
      accountId,
      providerEmail: null,
      accessTokenSealed: seal('access_token', 'access'),
      refreshTokenSealed: seal('refresh_token', refreshToken),
      accessTokenExpiresInSeconds: 3_600,
      scopes: [],
    });
  await grant('old');
  await requestDisconnect(db, connection.id);
  const wished = await findConnection(db, connection.id);
  if (wished === null) throw new Error('the connection is gone');
  return { id: connection.id, wished, grant };
}

async function disconnect(wished: Connection, given: { db?: Database; whileClosing?: () => Promise<unknown> }) {
  const revoked: string[] = [];
  const listChannels = async () => {
    await given.whileClosing?.();
    return null;
  };
  const outcome = await disconnectProvider(
    {
      db: given.db ?? database.db,
      keys,
      oauth: { revoke: async (token: string) => void revoked.push(token) } as unknown as OAuthPort,
      port: { listChannels } as unknown as CalendarPort,
      notificationUrl: 'http://127.0.0.1/google',
      waitAtMostMs: 10_000,
      onLeftBehind: (_what, error) => {
        throw error;
      },
    },
    wished,
  );
  return { outcome, revoked };
}

test('[A-1] a reconnect while a grant is being ended does not have its own grant revoked', async () => {
  const { id, wished, grant } = await connectOnce();
  // The look for others of the same account is the last one before the revocation.
  const isLastLook = (columns: readonly string[]) => columns.join() === 'id';
  const db = beforeSelect(database.db, isLastLook, () => grant('new'));
  expect(await disconnect(wished, { db })).toEqual({ outcome: 'withdrawn', revoked: ['old'] });
  expect(await findConnection(database.db, id)).toMatchObject({ status: 'active', syncEnabled: true });
});

test('[A-1] a grant is revoked although ingress, which waits only so long, erased the connection meanwhile', async () => {
  const { id, wished } = await connectOnce();
  const whileClosing = () => eraseDisconnecting(database.db, id);
  expect(await disconnect(wished, { whileClosing })).toEqual({ outcome: 'disconnected', revoked: ['old'] });
});

test('[A-1] a reconnect after such an erasure does not have its own grant revoked', async () => {
  const { id, wished, grant } = await connectOnce();
  const whileClosing = async () => {
    await eraseDisconnecting(database.db, id);
    await grant('new');
  };
  expect(await disconnect(wished, { whileClosing })).toEqual({ outcome: 'withdrawn', revoked: [] });
});

/** The same database, where something happens just before a `select` of these columns is sent. */
function beforeSelect(
  db: Database,
  isMeant: (columns: readonly string[]) => boolean,
  happens: () => Promise<unknown>,
): Database {
  const late = <Query extends object>(query: Query): Query =>
    new Proxy(query, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        if (name === 'then') {
          return async (...heard: unknown[]) => {
            await happens();
            return member.apply(target, heard);
          };
        }
        return (...given: unknown[]) => late(member.apply(target, given));
      },
    });
  return new Proxy(db, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name !== 'select') return member.bind(target);
      return (columns: object = {}) => {
        const query = target.select(columns as never);
        return isMeant(Object.keys(columns)) ? late(query) : query;
      };
    },
  });
}
