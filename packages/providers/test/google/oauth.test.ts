import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { OAuthPort } from '../../src/contract/index.ts';
import { createGoogleOAuth } from '../../src/google/index.ts';
import { signal } from '../adapter-arguments.ts';
import { type LocalServer, startLocalServer } from '../local-server.ts';
import { describeRecorded, readFixture } from './fixtures.ts';
import { refusal } from './session.ts';

const OWNED = 'https://www.googleapis.com/auth/calendar.events.owned';
const TOKEN = 'POST /token';
const REVOKE = 'POST /revoke';
const PRIMARY = 'GET /calendar/v3/calendars/primary';

let server: LocalServer;
let oauth: OAuthPort;
beforeEach(async () => {
  server = await startLocalServer();
  oauth = createGoogleOAuth({
    apiBaseUrl: server.baseUrl,
    authorizeUrl: `${server.baseUrl}/authorize?hd=example.com`,
    tokenUrl: `${server.baseUrl}/token`,
    revokeUrl: `${server.baseUrl}/revoke`,
    clientId: 'client-1',
    clientSecret: 'client-secret',
  });
});
afterEach(() => server.close());
const form = () => Object.fromEntries(new URLSearchParams(server.requests.at(-1)?.text ?? ''));
const grantWith = (idToken: string | null) => ({
  accessToken: 'access',
  refreshToken: 'refresh',
  expiresInSeconds: 3_600,
  scopes: [OWNED],
  idToken,
});
const idToken = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;

describe('[A-1] the consent page', () => {
  test('is asked for offline access, PKCE and the least scopes', () => {
    const request = { state: 's', codeChallenge: 'c', redirectUri: 'https://app.example.com/callback' };
    const url = new URL(oauth.authorizationUrl(request));
    expect(Object.fromEntries(url.searchParams)).toEqual({
      hd: 'example.com',
      client_id: 'client-1',
      redirect_uri: 'https://app.example.com/callback',
      response_type: 'code',
      scope: `openid email ${OWNED}`,
      state: 's',
      code_challenge: 'c',
      code_challenge_method: 'S256',
      access_type: 'offline',
      include_granted_scopes: 'true',
      prompt: 'consent',
    });
  });

  test('lies at Google where nothing else is said', () => {
    const real = createGoogleOAuth({ clientId: 'client-1', clientSecret: 'x' });
    const url = new URL(real.authorizationUrl({ state: 's', codeChallenge: 'c', redirectUri: 'https://a.example' }));
    expect(url.origin + url.pathname).toBe('https://accounts.google.com/o/oauth2/v2/auth');
  });
});

describe('[A-1] scopes', () => {
  test.each([
    [[OWNED], []],
    [['openid', 'https://www.googleapis.com/auth/calendar.events'], []],
    [['https://www.googleapis.com/auth/calendar'], []],
    [['openid', 'email'], [OWNED]],
    [['https://www.googleapis.com/auth/calendar.readonly'], [OWNED]],
    [[], [OWNED]],
  ])('of %p there are missing %p', (granted, missing) => {
    expect(oauth.missingScopes(granted)).toEqual(missing);
  });
});

describe('[A-1] exchangeCode', () => {
  const exchange = { code: 'the-code', codeVerifier: 'the-verifier', redirectUri: 'https://app.example.com/callback' };

  test('trades the code with its verifier', async () => {
    const answer = {
      access_token: 'a',
      refresh_token: 'r',
      expires_in: 3_599,
      scope: `openid ${OWNED}`,
      id_token: 'i',
    };
    server.on(TOKEN, { body: answer });
    expect(await oauth.exchangeCode(exchange, signal)).toEqual({
      accessToken: 'a',
      refreshToken: 'r',
      expiresInSeconds: 3_599,
      scopes: ['openid', OWNED],
      idToken: 'i',
    });
    expect(form()).toEqual({
      grant_type: 'authorization_code',
      client_id: 'client-1',
      client_secret: 'client-secret',
      code: 'the-code',
      code_verifier: 'the-verifier',
      redirect_uri: 'https://app.example.com/callback',
    });
  });

  test('an answer that names no scopes grants what was asked for', async () => {
    server.on(TOKEN, { body: { access_token: 'a', expires_in: 3_599 } });
    expect(oauth.missingScopes((await oauth.exchangeCode(exchange, signal)).scopes)).toEqual([]);
  });

  test('a code that is used up is no dead grant', async () => {
    server.on(TOKEN, { status: 400, body: { error: 'invalid_grant', error_description: 'secret words' } });
    await expect(oauth.exchangeCode(exchange, signal)).rejects.toMatchObject({
      kind: 'permanent',
      reason: 'invalid_grant',
      operation: 'exchange_code',
    });
  });
});

describe('refresh', () => {
  test('[A-1] keeps the refresh token that is stored when the answer has none', async () => {
    server.on(TOKEN, { body: { access_token: 'new', expires_in: 3_600 } });
    expect(await oauth.refresh('stored', signal)).toMatchObject({ accessToken: 'new', refreshToken: null, scopes: [] });
    expect(form()).toMatchObject({ grant_type: 'refresh_token', refresh_token: 'stored' });
  });

  test.each([
    ['the server fails', { status: 500, body: {} }, 'http_500'],
    ['the connection breaks', { hangUp: true }, 'connection_reset'],
    ['somebody else answers', { body: '<html>' }, 'unreadable_answer'],
    ['the answer has no token', { body: { expires_in: 1 } }, 'unreadable_answer'],
    ['it is led elsewhere', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'unknown_302'],
  ])('[R-3] parks nothing when %s', async (_, reply, reason) => {
    server.on(TOKEN, reply);
    await expect(oauth.refresh('stored', signal)).rejects.toMatchObject({ kind: 'transient', reason });
  });

  test('[B-3] an error holds no token, no secret and no word of the answer', async () => {
    server.on(TOKEN, { status: 401, body: { error: 'invalid_client', error_description: 'secret words' } });
    const error = await oauth.refresh('stored-token', signal).catch((thrown: Error) => thrown);
    // Ours to mend: what was to be done with the refreshed token is tried again, and no booking is given up for it.
    expect(error).toMatchObject({ kind: 'transient', reason: 'invalid_client' });
    expect(JSON.stringify([error, (error as Error).message, (error as Error).cause])).not.toMatch(
      /stored-token|client-secret|secret words/,
    );
  });
});

describeRecorded('recorded token answers', () => {
  test('[R-3] a dead grant is auth_revoked', async () => {
    server.on(TOKEN, { status: 400, body: readFixture('token-invalid-grant.json') });
    await expect(oauth.refresh('stored', signal)).rejects.toMatchObject({
      kind: 'auth_revoked',
      reason: 'invalid_grant',
    });
  });

  test('[A-1] a refreshed token comes without a refresh token', async () => {
    server.on(TOKEN, { body: readFixture('token-refresh-ok.json') });
    expect(await oauth.refresh('stored', signal)).toMatchObject({ refreshToken: null, expiresInSeconds: 3_600 });
  });
});

describe('revoke', () => {
  test('ends the grant', async () => {
    server.on(REVOKE, { body: {} });
    await oauth.revoke('stored', signal);
    expect(form()).toEqual({ token: 'stored' });
  });

  test('is done when the grant has ended already', async () => {
    server.on(REVOKE, { status: 400, body: { error: 'invalid_token' } });
    await expect(oauth.revoke('stored', signal)).resolves.toBeUndefined();
  });

  test('fails when nobody knows', async () => {
    server.on(REVOKE, { status: 503, body: {} });
    await expect(oauth.revoke('stored', signal)).rejects.toMatchObject({
      kind: 'transient',
      operation: 'revoke_token',
    });
  });
});

describe('[A-1] identify', () => {
  test('believes the token that came with the grant', async () => {
    const identity = await oauth.identify(grantWith(idToken({ sub: '117', email: 'someone@example.com' })), signal);
    expect(identity).toEqual({ accountId: '117', email: 'someone@example.com' });
    expect(server.requests).toHaveLength(0);
  });

  test('asks the primary calendar where that says nothing', async () => {
    server.on(PRIMARY, { body: { id: 'someone@example.com' } });
    expect(await oauth.identify(grantWith(null), signal)).toEqual({ accountId: null, email: 'someone@example.com' });
    expect(server.requests[0]?.headers.authorization).toBe('Bearer access');
  });

  test.each([
    ['that is refused', idToken({ sub: '117' }), '117'],
    ['the token is no token', 'nonsense', null],
    ['the token is no object', `x.${Buffer.from('7').toString('base64url')}.y`, null],
  ])('knows no address when %s', async (_, token, accountId) => {
    server.on(PRIMARY, refusal(403, 'insufficientPermissions'));
    expect(await oauth.identify(grantWith(token), signal)).toEqual({ accountId, email: null });
  });

  test('does not take an outage for an unknown account', async () => {
    server.on(PRIMARY, { status: 503, body: {} });
    await expect(oauth.identify(grantWith(null), signal)).rejects.toMatchObject({ kind: 'transient' });
  });
});
