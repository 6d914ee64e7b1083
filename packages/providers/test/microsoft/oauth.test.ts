import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { OAuthPort, TokenGrant } from '../../src/contract/index.ts';
import { createMicrosoftOAuth } from '../../src/microsoft/index.ts';
import { NOW, signal } from '../adapter-arguments.ts';
import { type LocalServer, startLocalServer } from '../local-server.ts';
import { describeRecorded, readFixture } from './fixtures.ts';

const TOKEN = 'POST /common/oauth2/v2.0/token';
let server: LocalServer;
let oauth: OAuthPort;

beforeEach(async () => {
  server = await startLocalServer();
  oauth = createMicrosoftOAuth({
    graphBaseUrl: server.baseUrl,
    loginBaseUrl: `${server.baseUrl}/`,
    clientId: 'app',
    clientSecret: 's&cret',
    now: () => NOW,
  });
});
afterEach(() => server.close());

const form = () => Object.fromEntries(new URLSearchParams(server.requests[0]?.text));
const answer = {
  access_token: 'at',
  refresh_token: 'rt2',
  expires_in: 3599,
  scope: 'Calendars.ReadWrite openid',
  id_token: 'h.p.s',
  token_type: 'Bearer',
};
const exchange = { code: 'code', codeVerifier: 'verifier', redirectUri: 'https://x.example.com/cb' };

describe('authorizationUrl', () => {
  test('[A-1] asks for least scopes, offline, with PKCE and state', () => {
    const asked = new URL(
      oauth.authorizationUrl({ state: 'st&ate', codeChallenge: 'ch', redirectUri: 'https://x.example.com/cb?a=1' }),
    );
    expect(asked.pathname).toBe('/common/oauth2/v2.0/authorize');
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      client_id: 'app',
      response_type: 'code',
      redirect_uri: 'https://x.example.com/cb?a=1',
      response_mode: 'query',
      scope: 'openid email offline_access Calendars.ReadWrite MailboxSettings.Read',
      state: 'st&ate',
      code_challenge: 'ch',
      code_challenge_method: 'S256',
      prompt: 'select_account',
    });
  });

  test('[A-1] goes to Microsoft and the tenant by default', () => {
    const own = createMicrosoftOAuth({ clientId: 'app', clientSecret: 's', tenant: 'organizations' });
    expect(own.authorizationUrl({ state: 's', codeChallenge: 'c', redirectUri: 'r' })).toMatch(
      /^https:\/\/login\.microsoftonline\.com\/organizations\/oauth2\/v2\.0\/authorize\?/,
    );
  });
});

describe('exchangeCode', () => {
  test('[A-1] trades code and verifier for tokens', async () => {
    server.on(TOKEN, { body: answer });
    await expect(oauth.exchangeCode(exchange, signal)).resolves.toEqual({
      accessToken: 'at',
      refreshToken: 'rt2',
      expiresInSeconds: 3599,
      scopes: ['Calendars.ReadWrite', 'openid'],
      idToken: 'h.p.s',
    });
    expect(form()).toEqual({
      client_id: 'app',
      client_secret: 's&cret',
      grant_type: 'authorization_code',
      code: 'code',
      code_verifier: 'verifier',
      redirect_uri: 'https://x.example.com/cb',
    });
    expect(server.requests[0]?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
  });

  test('[A-1] takes an answer that names neither scope nor lifetime for what was asked for', async () => {
    server.on(TOKEN, { body: { access_token: 'at', refresh_token: 'rt' } });
    const grant = await oauth.exchangeCode(exchange, signal);
    expect(grant.expiresInSeconds).toBe(3_600);
    expect(oauth.missingScopes(grant.scopes)).toEqual([]);
  });

  test('[A-1] is permanent for a code that was used before', async () => {
    server.on(TOKEN, { status: 400, body: { error: 'invalid_grant', error_description: 'AADSTS54005' } });
    await expect(oauth.exchangeCode(exchange, signal)).rejects.toMatchObject({
      kind: 'permanent',
      reason: 'invalid_grant',
      operation: 'exchange_code',
    });
  });
});

describe('refresh', () => {
  test('[A-1] hands on the rotated refresh token and names no scope', async () => {
    server.on(TOKEN, { body: answer });
    await expect(oauth.refresh('rt1', signal)).resolves.toMatchObject({ accessToken: 'at', refreshToken: 'rt2' });
    expect(form()).toEqual({
      client_id: 'app',
      client_secret: 's&cret',
      grant_type: 'refresh_token',
      refresh_token: 'rt1',
    });
  });

  test('[A-1] keeps the stored refresh token when none comes back', async () => {
    const { refresh_token: _, ...rest } = answer;
    server.on(TOKEN, { body: { ...rest, expires_in: '4799' } });
    await expect(oauth.refresh('rt1', signal)).resolves.toMatchObject({ refreshToken: null, expiresInSeconds: 4799 });
  });

  test.each(['invalid_grant', 'interaction_required', 'consent_required', 'login_required'])(
    '[R-3] is auth_revoked on %s',
    async (error) => {
      server.on(TOKEN, { status: 400, body: { error, error_description: 'AADSTS50173: secret words' } });
      const failure = await oauth.refresh('rt1', signal).catch((caught: Error) => caught);
      expect(failure).toMatchObject({ kind: 'auth_revoked', reason: error, operation: 'refresh_token', status: 400 });
      expect(`${(failure as Error).stack} ${JSON.stringify(failure)}`).not.toMatch(/AADSTS|rt1|s&cret/);
    },
  );

  test.each([
    [
      'our own wrong secret',
      { status: 401, body: { error: 'invalid_client' } },
      { kind: 'transient', reason: 'invalid_client' },
    ],
    [
      'an error page',
      { status: 503, body: '<html>', headers: { 'retry-after': '9' } },
      { kind: 'transient', reason: 'http_503', retryAfterMs: 9_000 },
    ],
    [
      'a limit',
      { status: 429, headers: { 'retry-after': '3' }, body: {} },
      { kind: 'rate_limited', retryAfterMs: 3_000 },
    ],
    ['a success without a token', { body: { expires_in: 3599 } }, { kind: 'transient', reason: 'unreadable_answer' }],
    [
      'an error name that is none',
      { status: 400, body: { error: { code: 'x' } } },
      { kind: 'transient', reason: 'unknown_400' },
    ],
    ['a cut connection', { hangUp: true }, { kind: 'transient', reason: 'connection_reset', status: null }],
  ])('[R-3] does not give the grant up for %s', async (_, reply, expected) => {
    server.on(TOKEN, reply);
    await expect(oauth.refresh('rt1', signal)).rejects.toMatchObject(expected);
  });
});

describe('revoke', () => {
  test('[A-1] calls nobody, since Microsoft has no such call', async () => {
    await expect(oauth.revoke('rt1', signal)).resolves.toBeUndefined();
    expect(server.requests).toHaveLength(0);
  });
});

describe('missingScopes', () => {
  test.each([
    [['https://graph.microsoft.com/Calendars.ReadWrite', 'https://graph.microsoft.com/User.Read'], []],
    [['calendars.readwrite'], []],
    [['openid', 'MailboxSettings.Read', 'Calendars.Read'], ['Calendars.ReadWrite']],
    [[], ['Calendars.ReadWrite']],
  ])('[A-1] of %j are %j', (granted, missing) => {
    expect(oauth.missingScopes(granted)).toEqual(missing);
  });
});

describe('identify', () => {
  const ME = 'GET /v1.0/me';
  const grant = (claims: object | null): TokenGrant => ({
    accessToken: 'at',
    refreshToken: null,
    expiresInSeconds: 1,
    scopes: [],
    idToken: claims === null ? null : `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`,
  });

  test.each([
    [
      { oid: 'o', sub: 's', email: 'é@example.com', preferred_username: 'p@example.com' },
      { accountId: 'o', email: 'é@example.com' },
    ],
    [
      { sub: 's', preferred_username: 'p@example.com' },
      { accountId: 's', email: 'p@example.com' },
    ],
  ])('[A-1] reads %j as %j without asking', async (claims, identity) => {
    await expect(oauth.identify(grant(claims), signal)).resolves.toEqual(identity);
    expect(server.requests).toHaveLength(0);
  });

  test('[A-1] asks /me for what the id_token leaves out', async () => {
    server.on(ME, { body: { id: 'o', mail: null, userPrincipalName: 'u@example.com' } });
    await expect(oauth.identify(grant(null), signal)).resolves.toEqual({ accountId: 'o', email: 'u@example.com' });
    await expect(oauth.identify(grant({ sub: 's' }), signal)).resolves.toEqual({
      accountId: 's',
      email: 'u@example.com',
    });
    expect(server.requests[0]?.headers.authorization).toBe('Bearer at');
  });

  test('[A-1] makes do with what it has when /me refuses', async () => {
    server.on(ME, { status: 403, body: { error: { code: 'Authorization_RequestDenied' } } });
    await expect(oauth.identify(grant({ sub: 's', preferred_username: '+15550100' }), signal)).resolves.toEqual({
      accountId: 's',
      email: null,
    });
    await expect(oauth.identify({ ...grant(null), idToken: 'garbage' }, signal)).resolves.toEqual({
      accountId: null,
      email: null,
    });
  });

  test('[A-1] fails when nobody is named and /me cannot be asked now', async () => {
    server.on(ME, { status: 503, body: {} });
    await expect(oauth.identify(grant(null), signal)).rejects.toMatchObject({ kind: 'transient' });
    await expect(oauth.identify(grant({ sub: 's' }), signal)).resolves.toEqual({ accountId: 's', email: null });
  });
});

describeRecorded('recorded token answers', () => {
  test('[A-1] of a refresh', async () => {
    server.on(TOKEN, { body: readFixture('token-refresh-ok.json') });
    const grant = await oauth.refresh('rt1', signal);
    expect(grant).toMatchObject({ refreshToken: '5.FZizesfnnwBzuwgmlXliyo0', expiresInSeconds: 4799, idToken: null });
    expect(oauth.missingScopes(grant.scopes)).toEqual([]);
  });

  test('[R-3] of a grant that died of age', async () => {
    server.on(TOKEN, { status: 400, body: readFixture('token-error-AADSTS700082.json') });
    await expect(oauth.refresh('rt1', signal)).rejects.toMatchObject({ kind: 'auth_revoked', reason: 'invalid_grant' });
  });
});
